--  Moves the cars of one building up and down.
package body Elevators is

   --  The floor at which the elevator stops next.
   function Next_Stop (Car : Cabin; Calls : Floor_Set) return Floor is
      Best : Floor := Car.Position;
   begin
      for F in Calls'Range loop
         if Calls (F) and then Closer (F, Best, Car) then
            Best := F;
         end if;
      end loop;
      return Best;
   end Next_Stop;

   procedure Open_Doors (Car : in out Cabin) is
   begin
      Car.Doors := Open;
   end Open_Doors;

end Elevators;
