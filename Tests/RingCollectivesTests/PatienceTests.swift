import Testing

@testable import RingCollectives

struct PatienceTests {
    @Test func spinsInVainGetShorterAndStayPossible() {
        var patience = Patience(longest: 50_000)
        for _ in 0..<20 {
            patience.gaveUp()
            patience.waited(1_000_000)
        }
        #expect(patience.spinNanoseconds == 1_000)
    }

    @Test func oneWaitCountsOnceHoweverOftenItSleeps() {
        var patience = Patience(longest: 50_000)
        for _ in 0..<10 { patience.gaveUp() }
        #expect(patience.spinNanoseconds == 25_000)
    }

    @Test func successesBringTheLongestSpinBack() {
        var patience = Patience(longest: 50_000)
        for _ in 0..<20 {
            patience.gaveUp()
            patience.waited(1_000_000)
        }
        for _ in 0..<6 { patience.waited(500) }
        #expect(patience.spinNanoseconds == 50_000)
    }

    @Test func shortSleepsLetItTryAgain() {
        var patience = Patience(longest: 50_000)
        for _ in 0..<20 {
            patience.gaveUp()
            patience.waited(1_000_000)
        }
        for _ in 0..<7 {
            patience.gaveUp()
            patience.waited(20_000)
        }
        #expect(patience.spinNanoseconds == 1_000)
        patience.gaveUp()
        patience.waited(20_000)
        #expect(patience.spinNanoseconds == 2_000)
    }

    @Test func neverSpinsWhereItMustNot() {
        var patience = Patience(longest: 0)
        for _ in 0..<20 {
            patience.gaveUp()
            patience.waited(0)
        }
        #expect(patience.spinNanoseconds == 0)
    }

    /// Two ranks that answer each other take 300 us while both sleep, and 120 us while both try: the longest spin of 50 us
    /// would never find that out.
    @Test func aLongerSpinIsTriedAndKeptWhereItPays() {
        var patience = Patience(longest: 50_000, farthest: 1_000_000)
        var waits = 0
        while patience.spinNanoseconds < 300_000 {
            patience.gaveUp()
            patience.waited(300_000)
            waits += 1
            #expect(waits < 100)
        }
        // The try is as long as the sleep before it was.
        #expect(patience.spinNanoseconds == 300_000)
        patience.waited(120_000)
        #expect(patience.spinNanoseconds == 240_000)
        for _ in 0..<50 { patience.waited(120_000) }
        #expect(patience.spinNanoseconds == 240_000)
    }

    @Test func longerSpinsInVainBecomeRare() {
        var patience = Patience(longest: 50_000, farthest: 1_000_000)
        var (tries, spun) = (0, 0 as UInt64)
        for _ in 0..<10_000 {
            if patience.spinNanoseconds > 50_000 { tries += 1 }
            spun += patience.spinNanoseconds
            patience.gaveUp()
            patience.waited(400_000)
        }
        // At the latest after 256 sleeps: ranks that put each other to sleep must find out that they need not.
        #expect((20...50).contains(tries))
        // A hundredth of the time, and the shortest spins.
        #expect(spun < 10_000 * 5_000)
    }

    /// What once paid is given up where it pays no more.
    @Test func aLongerSpinIsForgotten() {
        var patience = Patience(longest: 50_000, farthest: 1_000_000)
        for _ in 0..<16 {
            patience.gaveUp()
            patience.waited(300_000)
        }
        patience.waited(120_000)
        #expect(patience.spinNanoseconds == 240_000)
        for _ in 0..<20 {
            patience.gaveUp()
            patience.waited(10_000_000)
        }
        for _ in 0..<20 { patience.waited(100) }
        #expect(patience.spinNanoseconds == 50_000)
    }

    @Test func nobodyWaitsLongerThanAllowed() {
        var patience = Patience(longest: 50_000)
        for _ in 0..<100 {
            patience.gaveUp()
            patience.waited(300_000)
            #expect(patience.spinNanoseconds <= 50_000)
        }
    }
}
