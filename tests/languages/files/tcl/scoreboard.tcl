# The scoreboard of a match.
package require Tcl 8.6

namespace eval ::score {
    variable goals

    # Adds goals to a team.
    proc addGoals {team count} {
        variable goals
        incr goals($team) $count
    }
}

proc show {team} {
    puts "$team $::score::goals($team)"
}
