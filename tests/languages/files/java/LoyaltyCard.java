package shop.loyalty;

import java.time.LocalDate;

/**
 * Collects points of one customer.
 */
public final class LoyaltyCard implements Card {
    private static final int BONUS = 2;
    private int points;

    public LoyaltyCard(int points) {
        this.points = points;
    }

    /**
     * The points of a purchase, doubled on a birthday.
     */
    @Override
    public int pointsFor(int cents, LocalDate birthday) {
        int base = cents / 100;
        return LocalDate.now().equals(birthday) ? base * BONUS : base;
    }

    enum Level {
        SILVER, GOLD;

        boolean isBest() {
            return this == GOLD;
        }
    }
}

interface Card {
    int pointsFor(int cents, LocalDate birthday);
}

record Purchase(int cents, String shop) {}
