import RingCore
import Testing

@Suite struct DeadlineTests {
    @Test func theClockDoesNotGoBack() {
        var last = Deadline.now
        for _ in 0..<1_000 {
            let next = Deadline.now
            #expect(next >= last)
            last = next
        }
    }

    @Test func nowHasPassedAndLaterHasNot() {
        #expect(Deadline.now.hasPassed)
        #expect(Deadline.now.remaining == .zero)
        #expect(Deadline.now.remainingMilliseconds() == 0)
        let hour = Deadline.after(.seconds(3_600))
        #expect(!hour.hasPassed)
        #expect(hour.remaining > .seconds(3_000) && hour.remaining <= .seconds(3_600))
        #expect((3_000_001...3_600_000).contains(hour.remainingMilliseconds()))
        #expect(hour.remainingMilliseconds(atMost: 250) == 250)
    }

    @Test func negativeAndZeroDurationsPassAtOnce() {
        #expect(Deadline.after(.zero).hasPassed)
        #expect(Deadline.after(.seconds(-5)).hasPassed)
        #expect(Deadline.after(.nanoseconds(-1)).hasPassed)
        let now = Deadline.now
        #expect(now.advanced(by: .seconds(-1)) == now)
    }

    @Test func distancesAddUpExactly() {
        let start = Deadline.now
        #expect(start.advanced(by: .nanoseconds(1)).nanoseconds == start.nanoseconds + 1)
        #expect(start.advanced(by: .milliseconds(1_500)).nanoseconds == start.nanoseconds + 1_500_000_000)
        #expect(start < start.advanced(by: .nanoseconds(1)))
        #expect(start.advanced(by: .seconds(1)) < start.advanced(by: .seconds(2)))
    }

    @Test func durationsWithoutEndAreClamped() {
        let never = Deadline.after(.seconds(Int64.max))
        #expect(never.nanoseconds == .max)
        #expect(!never.hasPassed)
        #expect(never.remaining == .nanoseconds(Int64.max))
        #expect(never.remainingMilliseconds() == .max)
        #expect(never.advanced(by: .seconds(1)) == never)
    }

    /// A wait of less than a millisecond must not become a busy loop of waits of none.
    @Test func millisecondsAreRoundedUp() {
        var deadline = Deadline.after(.microseconds(900))
        var milliseconds = deadline.remainingMilliseconds()
        // On a machine that stalls this thread the deadline may have passed; try a later one.
        for tries in 1...1_000 where milliseconds == 0 {
            deadline = Deadline.after(.microseconds(900 * tries))
            milliseconds = deadline.remainingMilliseconds()
        }
        #expect(milliseconds >= 1)
    }

    @Test func nanosecondsOfDurations() {
        #expect(Duration.zero.clampedNanoseconds == 0)
        #expect(Duration.seconds(-1).clampedNanoseconds == 0)
        #expect(Duration.nanoseconds(-1).clampedNanoseconds == 0)
        #expect(Duration.nanoseconds(1).clampedNanoseconds == 1)
        #expect(Duration.seconds(18_446_744_073).clampedNanoseconds == 18_446_744_073_000_000_000)
        #expect(Duration.seconds(18_446_744_074).clampedNanoseconds == .max)
        #expect((Duration.seconds(18_446_744_073) + .nanoseconds(709_551_615)).clampedNanoseconds == .max)
        #expect((Duration.seconds(18_446_744_073) + .nanoseconds(709_551_616)).clampedNanoseconds == .max)
        #expect(Duration.milliseconds(1_250).inSeconds == 1.25)
        #expect(Duration.milliseconds(-1_250).inSeconds == -1.25)
    }

    @Test(arguments: [
        (Duration.zero, "0 s"), (.seconds(60), "60 s"), (.milliseconds(250), "250 ms"),
        (.microseconds(80), "80 us"),
        (.milliseconds(1_500), "1.5 s"), (.milliseconds(3_990), "4 s"), (.microseconds(1_499), "1 ms"),
        (.microseconds(1_500), "2 ms"),
        (.milliseconds(10_499), "10 s"), (.milliseconds(10_500), "11 s"), (.seconds(-3), "0 s"),
        (.seconds(Int64.max), "18446744074 s"),
    ])
    func durationsReadAsPeopleWriteThem(duration: Duration, text: String) {
        #expect(duration.shortText == text)
    }
}
