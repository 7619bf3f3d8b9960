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
}
