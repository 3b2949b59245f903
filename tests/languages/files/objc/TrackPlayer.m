#import "TrackPlayer.h"

NS_ASSUME_NONNULL_BEGIN

@interface TrackPlayer : NSObject
@property (nonatomic, copy) NSString *title;
- (void)fadeOutOver:(NSTimeInterval)seconds;
@end

@implementation TrackPlayer

+ (instancetype)sharedPlayer {
    return [[self alloc] init];
}

/// Fades the music out before the next track.
- (void)fadeOutOver:(NSTimeInterval)seconds {
    [self.mixer rampTo:0.0 over:seconds];
}

@end

NS_ASSUME_NONNULL_END
