package harbour

import java.time.LocalTime

/** When ferries leave. */
class FerrySchedule(private val trips: List<Trip>) {
    /** The next ferry to an island that still has room for cars. */
    fun nextFor(island: String, now: LocalTime): Trip? {
        return trips.firstOrNull { it.to == island && it.leaves > now && it.cars > 0 }
    }

    companion object {
        fun empty() = FerrySchedule(emptyList())
    }
}

data class Trip(val to: String, val leaves: LocalTime, val cars: Int)

interface Harbour {
    val name: String
    fun close()
}

object Lights {
    fun on() = println("on")
}

fun Trip.isLate(now: LocalTime): Boolean = now > leaves
