package music

import scala.collection.mutable

/** Those who play. */
class Orchestra(musicians: Seq[Musician]) {
  /** Seats the musicians by their instrument. */
  def seatPlan(rows: Int): Map[Int, Seq[Musician]] = {
    musicians.sortBy(_.instrument).grouped(rows).zipWithIndex.map(_.swap).toMap
  }

  val size: Int = musicians.size
}

object Orchestra {
  def empty: Orchestra = new Orchestra(Nil)
}

trait Conductor {
  def start(): Unit
}

case class Musician(name: String, instrument: String)

enum Tempo:
  case Slow, Fast

extension (musician: Musician)
  def isSoloist: Boolean = musician.instrument == "violin"
