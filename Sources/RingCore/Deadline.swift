#if canImport(Glibc)
    public import Glibc
#elseif canImport(Musl)
    public import Musl
#endif

/// A point in time after which waiting ends with an error.
///
/// It counts on the system's monotonic clock, which does not jump.
public struct Deadline: Sendable, Hashable, Comparable {
    /// Nanoseconds on the monotonic clock.
    public let nanoseconds: UInt64

    @usableFromInline init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The deadline that lies `duration` from now; now, if the duration is negative.
    public static func after(_ duration: Duration) -> Deadline {
        .now.advanced(by: duration)
    }

    /// The present moment, which as a deadline has already passed.
    // Waiting asks often, and from other modules.
    @inlinable
    public static var now: Deadline {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Deadline(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// The deadline that lies `duration` later; the same one, if the duration is negative.
    public func advanced(by duration: Duration) -> Deadline {
        advanced(byNanoseconds: duration.clampedNanoseconds)
    }

    /// The deadline that lies so many nanoseconds later.
    package func advanced(byNanoseconds count: UInt64) -> Deadline {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(count)
        return Deadline(nanoseconds: overflow ? .max : sum)
    }

    /// Whether the moment has passed.
    public var hasPassed: Bool { Deadline.now.nanoseconds >= nanoseconds }

    /// The time left, zero once it has passed.
    public var remaining: Duration {
        let now = Deadline.now.nanoseconds
        return .nanoseconds(Int64(clamping: nanoseconds > now ? nanoseconds - now : 0))
    }

    /// The time left in milliseconds, rounded up, as `poll` takes it; at most `limit`.
    public func remainingMilliseconds(atMost limit: Int32 = .max) -> Int32 {
        let now = Deadline.now.nanoseconds
        guard nanoseconds > now else { return 0 }
        let (milliseconds, remainder) = (nanoseconds - now).quotientAndRemainder(dividingBy: 1_000_000)
        return Swift.min(limit, Int32(clamping: milliseconds + (remainder > 0 ? 1 : 0)))
    }

    public static func < (left: Deadline, right: Deadline) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Duration {
    /// The whole duration in nanoseconds; zero if negative, the largest number if it does not fit.
    package var clampedNanoseconds: UInt64 {
        UInt64(clamping: attoseconds / 1_000_000_000)
    }

    /// The duration in seconds.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    /// The duration as a person writes it, rounded: `60 s`, `1.5 s`, `250 ms`, `80 us`.
    package var shortText: String {
        let nanoseconds = clampedNanoseconds
        if (1_000_000_000..<10_000_000_000).contains(nanoseconds) {
            let (seconds, tenths) = ((nanoseconds + 50_000_000) / 100_000_000).quotientAndRemainder(
                dividingBy: 10)
            return tenths == 0 ? "\(seconds) s" : "\(seconds).\(tenths) s"
        }
        let (unit, name): (UInt64, String) =
            if nanoseconds == 0 || nanoseconds >= 10_000_000_000 {
                (1_000_000_000, "s")
            } else if nanoseconds >= 1_000_000 {
                (1_000_000, "ms")
            } else {
                (1_000, "us")
            }
        let (whole, remainder) = nanoseconds.quotientAndRemainder(dividingBy: unit)
        return "\(whole + (remainder >= unit / 2 ? 1 : 0)) \(name)"
    }
}
