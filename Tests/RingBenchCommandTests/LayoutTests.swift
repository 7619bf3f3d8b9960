import RingCore
import Testing

@testable import RingBenchCommand

@Suite struct LayoutTests {
    /// What holds of every collective: pieces lie within their buffers, in place within one.
    @Test(arguments: CollectiveBenchmarks.all.map(\.collective), 1...9)
    func piecesLieWithinTheBuffers(_ collective: Collective, _ ranks: Int) {
        let benchmark = CollectiveBenchmarks.benchmark(for: collective)
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
        #expect(factors(4) == [1.5, 0.75, 0.75, 1, 1, 0.75, 0.75, 0.75, 0, 1])
        #expect(factors(1) == [0, 0, 0, 1, 1, 0, 0, 0, 0, 1])
    }

    /// What all ranks send in an exchange is what all receive, each element once.
    @Test(arguments: [Collective.allToAll, .sendReceive], 2...9)
    func exchangesLoseNothing(_ collective: Collective, _ ranks: Int) {
        let benchmark = CollectiveBenchmarks.benchmark(for: collective)
        let count = benchmark.count(near: 20, ranks: ranks)
        let layouts = (0..<ranks).map {
            benchmark.layout(count: count, ranks: ranks, rank: $0, root: 0, inPlace: false)
        }
        let inputs = layouts.flatMap { $0.input.flatMap(\.elements) }
        let outputs = layouts.flatMap { $0.output.flatMap(\.elements) }
        #expect(inputs == Array(0..<ranks * count) && outputs.sorted() == inputs)
        #expect(layouts.allSatisfy { $0.inputCount == count && $0.outputCount == count })
        for (rank, layout) in layouts.enumerated() where collective == .allToAll {
            let block = count / ranks
            for (from, piece) in layout.output.enumerated() {
                #expect(piece.offset == from * block && piece.elements.count == block)
                #expect(
                    piece.elements.lowerBound == layouts[from].input[0].elements.lowerBound + rank * block)
            }
        }
    }

    @Test func onlyTheRootGetsWhatIsForTheRoot() {
        for collective in [Collective.reduce, .gather] {
            for inPlace in [true, false] {
                for rank in 0..<3 {
                    let layout = CollectiveBenchmarks.benchmark(for: collective)
                        .layout(count: 10, ranks: 3, rank: rank, root: 1, inPlace: inPlace)
                    #expect(layout.output.flatMap(\.elements).count == (rank == 1 ? 10 : 0))
                }
            }
        }
    }

    /// A wanted count becomes one that every rank has a whole block of, and none is measured twice.
    @Test func countsAreWholeBlocks() {
        let benchmark = AllToAllBenchmark()
        #expect([0, 1, 5, 8, 9].map { benchmark.count(near: $0, ranks: 4) } == [0, 4, 4, 8, 8])
        let settings = BenchmarkSettings(
            collective: .allToAll, sizes: SizeSweep(min: 4, max: 64, factor: 2))
        #expect(benchmark.counts(settings, ranks: 4) == [4, 8, 16])
        #expect(GatherBenchmark().counts(settings, ranks: 4) == [1, 2, 4, 8, 16])
    }
}
