import RingCore
import Testing

@testable import RingBenchCommand

@Suite struct LayoutTests {
    /// What holds of every collective: pieces lie within their buffers, in place within one.
    @Test(arguments: CollectiveBenchmarks.all.map(\.collective), 1...9)
    func piecesLieWithinTheBuffers(_ collective: Collective, _ ranks: Int) throws {
        let benchmark = try #require(CollectiveBenchmarks.benchmark(for: collective))
        for count in 0...20 {
            for rank in 0..<ranks {
                for inPlace in [true, false] {
                    let layout = benchmark.layout(
                        count: count, ranks: ranks, rank: rank, root: ranks / 2, inPlace: inPlace)
                    for (pieces, size) in [
                        (layout.input, layout.inputCount), (layout.output, layout.outputCount),
                    ] {
                        #expect(pieces.allSatisfy { $0.offset >= 0 && $0.offset + $0.elements.count <= size })
                    }
                }
            }
        }
    }

    @Test func chunksOfAllRanksMakeTheWhole() {
        for ranks in 1...9 {
            for count in 0...20 {
                let outputs = (0..<ranks).flatMap { rank in
                    ReduceScatterBenchmark().layout(
                        count: count, ranks: ranks, rank: rank, root: 0, inPlace: false
                    )
                    .output.flatMap(\.elements)
                }
                let inputs = (0..<ranks).flatMap { rank in
                    AllGatherBenchmark().layout(
                        count: count, ranks: ranks, rank: rank, root: 0, inPlace: true
                    )
                    .input.flatMap(\.elements)
                }
                #expect(outputs == Array(0..<count) && inputs == Array(0..<count))
            }
        }
    }

    @Test func busFactorsAreThoseOfTheField() {
        let factors = { (ranks: Int) in CollectiveBenchmarks.all.map { $0.busFactor(ranks: ranks) } }
        #expect(factors(4) == [1.5, 0.75, 0.75, 1, 0])
        #expect(factors(1) == [0, 0, 0, 1, 0])
    }
}
