namespace java tracking

typedef i64 Moment

enum Status {
  SENT = 1,
  LOST = 2
}

// One parcel.
struct Parcel {
  1: string id,
  2: Moment sent
}

// Follows parcels.
service Tracking {
  // Where a parcel is.
  Status whereIs(1: string id) throws (1: Unknown error),
  void forget(1: string id)
}
