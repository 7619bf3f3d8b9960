/// How long a thread tries again before it sleeps, learnt from how it went before.
///
/// Spinning pays where the peer runs on another processor and answers soon. Where something else wants the processors,
/// the peer may be waiting for the very one that spins: then spinning is in vain, and every spin in vain halves the
/// next. One that succeeds doubles it, and so do eight sleeps that were shorter than the longest spin, for sleeping
/// alone would never tell that the processors are free again.
///
/// How long is too long depends on what sleeping costs: on a slow machine or network, ranks that answer each other may take
/// several times as long when both sleep as when both try. So now and then one wait in many is spent trying for as long as
/// the sleep before it took; if the peer's answer comes in that time, this is how long is tried from then on.
struct Patience {
    /// The shortest spin that is tried, where spinning is allowed at all.
    private static let shortest: UInt64 = 1_000
    /// After how many sleeps there is a longer try: soon after one that succeeded, and later after those in vain, but not so
    /// late that ranks put each other to sleep for long where trying would do.
    private static let fewestSleeps = 16
    private static let mostSleeps = 256

    private let longest: UInt64
    private let farthest: UInt64
    /// The longest spin for now, ``longest`` to ``farthest``.
    private var reach: UInt64
    private var shortSleeps = 0
    private var hasGivenUp = false
    /// The sleeps since a longer try, and how many there are before the next.
    private var sleeps = 0
    private var sleepsBeforeTry = fewestSleeps
    /// The spin that follows a longer try in vain; nil where this wait is none.
    private var usual: UInt64?

    /// For how long to spin now.
    private(set) var spinNanoseconds: UInt64

    /// Starts with the longest spin; zero means never to spin. Where it pays, up to `farthest` may be tried.
    init(longest: UInt64, farthest: UInt64 = 0) {
        self.longest = longest
        self.farthest = longest == 0 ? 0 : max(longest, farthest)
        reach = longest
        spinNanoseconds = longest
    }

    /// A spin was in vain; the thread goes to sleep. Told once or more for each wait.
    mutating func gaveUp() {
        guard !hasGivenUp else { return }
        hasGivenUp = true
        if let usual {
            self.usual = nil
            spinNanoseconds = usual
            sleepsBeforeTry = min(2 * sleepsBeforeTry, Self.mostSleeps)
            return
        }
        spinNanoseconds = min(reach, max(Self.shortest, spinNanoseconds / 2))
        if spinNanoseconds <= Self.shortest { reach = longest }
    }

    /// A wait has ended after this time.
    mutating func waited(_ nanoseconds: UInt64) {
        if !hasGivenUp {
            if usual != nil {
                usual = nil
                sleepsBeforeTry = Self.fewestSleeps
                reach = max(reach, min(2 * nanoseconds, farthest))
                spinNanoseconds = reach
            } else {
                grow()
            }
        } else {
            slept(nanoseconds)
        }
        hasGivenUp = false
    }

    private mutating func slept(_ nanoseconds: UInt64) {
        if nanoseconds < reach {
            shortSleeps += 1
            if shortSleeps == 8 { grow() }
        }
        sleeps += 1
        guard sleeps >= sleepsBeforeTry, nanoseconds > spinNanoseconds, nanoseconds <= farthest else {
            return
        }
        sleeps = 0
        usual = spinNanoseconds
        spinNanoseconds = nanoseconds
    }

    private mutating func grow() {
        shortSleeps = 0
        spinNanoseconds = min(reach, spinNanoseconds * 2)
    }
}
