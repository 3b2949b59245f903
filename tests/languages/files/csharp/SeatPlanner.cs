using System.Collections.Generic;

namespace Cinema.Booking
{
    /// <summary>Gives seats to visitors of the cinema.</summary>
    public class SeatPlanner : IPlanner
    {
        private readonly Hall _hall;

        public SeatPlanner(Hall hall)
        {
            _hall = hall;
        }

        public int Free { get { return _hall.Free; } }

        /// <summary>Chooses two neighboring seats for a couple.</summary>
        [Pure]
        public (Seat, Seat)? PairOf(int row)
        {
            for (var n = 1; n < _hall.Width; n++)
            {
                if (_hall.IsFree(row, n) && _hall.IsFree(row, n + 1))
                    return (new Seat(row, n), new Seat(row, n + 1));
            }
            return null;
        }
    }

    public record Seat(int Row, int Number);

    public interface IPlanner
    {
        int Free { get; }
    }
}
