/// How long a thread tries again before it sleeps, learnt from how it went before.
///
/// Spinning pays where the peer runs on another processor and answers soon. Where something else wants the processors,
/// the peer may be waiting for the very one that spins: then spinning is in vain, and every spin in vain halves the
/// next. One that succeeds doubles it, and so do eight sleeps that were shorter than the longest spin, for sleeping
/// alone would never tell that the processors are free again.
struct Patience {
    /// The shortest spin that is tried, where spinning is allowed at all.
    private static let shortest: UInt64 = 1_000

    private let longest: UInt64
    private var shortSleeps = 0
    private var hasGivenUp = false

    /// For how long to spin now.
    private(set) var spinNanoseconds: UInt64

    /// Starts with the longest spin; zero means never to spin.
    init(longest: UInt64) {
        self.longest = longest
        spinNanoseconds = longest
    }

    /// A spin was in vain; the thread goes to sleep. Told once or more for each wait.
    mutating func gaveUp() {
        guard !hasGivenUp else { return }
        hasGivenUp = true
        spinNanoseconds = min(longest, max(Self.shortest, spinNanoseconds / 2))
    }

    /// A wait has ended after this time.
    mutating func waited(_ nanoseconds: UInt64) {
        if !hasGivenUp {
            grow()
        } else if nanoseconds < longest {
            shortSleeps += 1
            if shortSleeps == 8 { grow() }
        }
        hasGivenUp = false
    }

    private mutating func grow() {
        shortSleeps = 0
        spinNanoseconds = min(longest, spinNanoseconds * 2)
    }
}
