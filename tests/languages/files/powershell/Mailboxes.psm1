# Mailboxes of the company.

enum State {
    Active
    Stale
}

class Mailbox {
    [string] $Owner
    [datetime] $Opened

    [bool] IsStale([int] $Months) {
        return $this.Opened -lt (Get-Date).AddMonths(-$Months)
    }
}

<#
.SYNOPSIS
Lists the mailboxes that nobody opened for months.
#>
function Get-StaleMailbox {
    [CmdletBinding()]
    param([int] $Months = 6)
    Get-Mailbox | Where-Object { $_.IsStale($Months) }
}

filter Select-Owner { $_.Owner }
