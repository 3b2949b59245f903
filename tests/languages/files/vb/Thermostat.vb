Imports System

''' <summary>Heats one room.</summary>
Public Class Thermostat
    Private _wanted As Double

    Public Sub New(wanted As Double)
        _wanted = wanted
    End Sub

    ''' <summary>Keeps the room at the wanted temperature.</summary>
    Public Function Regulate(measured As Double) As Boolean
        Return measured < _wanted
    End Function

    Public Property Wanted As Double
End Class

Module Program
    Sub Main()
        Console.WriteLine("warm")
    End Sub
End Module
