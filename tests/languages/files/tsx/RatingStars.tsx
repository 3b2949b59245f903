import React, { useState } from 'react';

export interface RatingProps {
  value: number;
  onRate(stars: number): void;
}

/** Shows stars for the rating of a film. */
export function RatingStars({ value, onRate }: RatingProps) {
  const [hover, setHover] = useState(0);
  return (
    <div className="stars">
      {[1, 2, 3, 4, 5].map((n) => (
        <button key={n} onClick={() => onRate(n)}>{n <= (hover || value) ? '★' : '☆'}</button>
      ))}
    </div>
  );
}

export const Label = ({ text }: { text: string }) => <label>{text}</label>;
