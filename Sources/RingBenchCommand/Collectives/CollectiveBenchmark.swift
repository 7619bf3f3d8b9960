import RingCollectives
import RingCore

/// What `ringbench` has to know of a collective to measure and check it.
///
/// The whole of what differs between collectives; adding one is one small conformance and one line in
/// ``CollectiveBenchmarks``. (As in nccl-tests, where each is one small table over one engine.)
protocol CollectiveBenchmark: Sendable {
    var collective: Collective { get }

    /// What it does to elements, which decides what is expected of them.
    var semantics: CollectiveSemantics { get }

    /// Whether one rank has a part of its own.
    var hasRoot: Bool { get }

    /// Whether the result can replace the input.
    var hasInPlace: Bool { get }

    /// Whether input and output can be two buffers.
    var hasOutOfPlace: Bool { get }

    /// The fewest ranks that it makes sense with.
    var fewestRanks: Int { get }

    /// The count, near a wanted one, that this collective can have.
    func count(near count: Int, ranks: Int) -> Int

    /// Where a rank's elements lie, where the whole buffer has `count`.
    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout

    /// busbw / algbw: the bytes that each rank's link must carry for each byte of the whole buffer, in the best
    /// algorithm.
    func busFactor(ranks: Int) -> Double

    /// The operations to hand to a communicator, at once, leaving the algorithm and the deadline to the caller.
    func operations(_ call: CollectiveCall) -> [CollectiveOperation]
}

/// What a collective does to elements.
enum CollectiveSemantics: Sendable {
    /// It combines the ranks' elements with an operator.
    case reduces
    /// It moves elements without changing them.
    case copies
    /// It moves none: no rank leaves before all have entered.
    case synchronizes
}

extension CollectiveBenchmark {
    var hasRoot: Bool { false }
    var hasInPlace: Bool { true }
    var hasOutOfPlace: Bool { true }
    var fewestRanks: Int { 1 }
    func count(near count: Int, ranks: Int) -> Int { count }

    /// Whether the library compresses it.
    var canBeCompressed: Bool {
        switch collective {
        case .allReduce, .reduce, .reduceScatter, .allGather, .broadcast: true
        default: false
        }
    }
}

extension CollectiveBenchmark {
    /// The counts to measure, none twice.
    func counts(_ settings: BenchmarkSettings, ranks: Int) -> [Int] {
        var counts: [Int] = []
        for wanted in settings.sizes.counts(elementBytes: settings.dataType.byteCount) {
            let count = count(near: wanted, ranks: ranks)
            if count != counts.last { counts.append(count) }
        }
        return counts
    }
}

/// What there is to measure.
enum CollectiveBenchmarks {
    static let all = Collective.allCases.map { benchmark(for: $0) }

    /// The entry for a collective.
    static func benchmark(for collective: Collective) -> any CollectiveBenchmark {
        switch collective {
        case .allReduce: AllReduceBenchmark()
        case .reduceScatter: ReduceScatterBenchmark()
        case .allGather: AllGatherBenchmark()
        case .broadcast: BroadcastBenchmark()
        case .reduce: ReduceBenchmark()
        case .gather: GatherBenchmark()
        case .scatter: ScatterBenchmark()
        case .allToAll: AllToAllBenchmark()
        case .barrier: BarrierBenchmark()
        case .sendReceive: SendReceiveBenchmark()
        }
    }
}
