unit Ledger;

interface

type
  { Books of one company. }
  TLedger = class(TObject)
  private
    FBookings: TBookings;
  public
    function MonthTotal(Account, Month: Integer): Currency;
    procedure Close;
  end;

implementation

// The sum of the bookings of an account in a month.
function TLedger.MonthTotal(Account, Month: Integer): Currency;
var
  Booking: TBooking;
begin
  Result := 0;
  for Booking in FBookings do
    if (Booking.Account = Account) and (Booking.Month = Month) then
      Result := Result + Booking.Amount;
end;

procedure TLedger.Close;
begin
  FBookings.Clear;
end;

end.
