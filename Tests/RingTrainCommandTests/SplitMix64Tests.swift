import Testing

@testable import RingTrainCommand

@Suite struct SplitMix64Tests {
    /// The published generator's first outputs from this state.
    @Test func matchesThePublishedGenerator() {
        var generator = SplitMix64(state: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in generator.next() } == expected)
    }

    @Test func streamsOfOneSeedDiffer() {
        var firsts: Set<UInt64> = []
        for seed in UInt64(0)..<20 {
            for stream in [SplitMix64.Stream.initialization, .sampleOrder] {
                for index in 0..<20 {
                    var generator = SplitMix64(seed: seed, stream: stream, index: index)
                    var again = SplitMix64(seed: seed, stream: stream, index: index)
                    let first = generator.next()
                    #expect(first == again.next())
                    firsts.insert(first)
                }
            }
        }
        #expect(firsts.count == 20 * 2 * 20)
    }

    @Test(arguments: [1, 2, 3, 7, 10, 1000] as [UInt64])
    func boundedNumbersAreInRangeAndEven(bound: UInt64) {
        var generator = SplitMix64(state: bound)
        var counts = [Int](repeating: 0, count: Int(bound))
        let draws = 100 * Int(bound)
        for _ in 0..<draws { counts[Int(generator.next(below: bound))] += 1 }
        // Six standard deviations around the expected 100.
        #expect(counts.allSatisfy { abs($0 - 100) <= 60 })
    }

    @Test func signedUnitsFillTheirRange() {
        var generator = SplitMix64(state: 3)
        let values = (0..<10_000).map { _ in generator.nextSignedUnit() }
        #expect(values.allSatisfy { $0 >= -1 && $0 < 1 })
        #expect(abs(values.reduce(0, +) / 10_000) < 0.03)
        #expect((values.max() ?? 0) > 0.99 && (values.min() ?? 0) < -0.99)
    }

    @Test(arguments: 0...20)
    func permutationsHaveEachNumberOnce(count: Int) {
        var generator = SplitMix64(state: UInt64(count))
        for _ in 0..<10 {
            #expect(generator.permutation(of: count).sorted() == (0..<Int32(count)).map { $0 })
        }
    }

    @Test func allOrdersOccur() {
        var generator = SplitMix64(state: 5)
        var counts: [[Int32]: Int] = [:]
        for _ in 0..<2_400 { counts[generator.permutation(of: 4), default: 0] += 1 }
        #expect(counts.count == 24)
        #expect(counts.values.allSatisfy { abs($0 - 100) <= 60 })
    }
}
