import 'package:flutter/material.dart';

/// A card that is thrown away by a finger.
class SwipeCard extends StatefulWidget {
  final double threshold;

  const SwipeCard({required this.threshold});

  /// Throws the card away when it was swiped far enough.
  bool onRelease(double distance) {
    if (distance.abs() < threshold) {
      return false;
    }
    dismiss();
    return true;
  }

  @override
  State<SwipeCard> createState() => _SwipeCardState();
}

enum Side { left, right }

double tilt(double distance) => distance / 300;
