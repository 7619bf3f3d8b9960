import ArgumentParser
import RingCore

/// What to measure and how, as the command line says it.
struct BenchmarkSettings: Equatable, Sendable {
    var collective: Collective
    var sizes: SizeSweep
    var dataType: DataType = .float32
    var op: ReductionOperator = .sum
    /// The root, for collectives that have one.
    var root: Rank = 0
    var transport: TransportChoice = .auto
    /// The algorithm by name; nil lets the library choose.
    var algorithm: String?
    /// The call that the algorithm is for, where it is a file of plans.
    var plannedCall: PlannedCall?
    var compression: Compression = .none
    /// How many of a hundred elements are zero on all ranks.
    var zeros = 0
    /// Untimed operations a size; nil chooses by size.
    var warmup: Int?
    /// Timed operations a size; nil chooses by the time that the untimed ones took.
    var iterations: Int?
    var inPlace = true
    /// Whether the buffers are memory that the transport knows.
    var isRegistered = false
    /// Whether two ranks send in turns, so that half the time is what a message takes from one to the other.
    var isPingPong = false
    var check = true
    var format: ReportFormat = .table
    /// The deadline of each operation; nil leaves the library's.
    var timeout: Duration?
    /// Whether one element of every checked result is corrupted, to see that the check finds it.
    var injectsWrong = false
}

extension BenchmarkSettings {
    /// Refuses what cannot be right with this many ranks.
    func validate(worldSize: Int) throws {
        let benchmark = CollectiveBenchmarks.benchmark(for: collective)
        guard worldSize >= benchmark.fewestRanks else {
            throw ValidationError(
                "\(collective.name) needs at least \(benchmark.fewestRanks) ranks: no rank sends to itself")
        }
        guard !isPingPong || worldSize == 2 else {
            throw ValidationError("--ping-pong is between 2 ranks: there are \(worldSize)")
        }
        try plannedCall?.validate(self, worldSize: worldSize)
        if benchmark.hasRoot, !(0..<worldSize).contains(root) {
            throw ValidationError("--root \(root) is not a rank: there are \(worldSize), numbered from 0")
        }
        if check, benchmark.semantics == .reduces,
            let most = BufferCheck.maximumRanks(dataType), worldSize > most
        {
            throw ValidationError(
                "with \(worldSize) ranks \(dataType.name) cannot hold exact results to check, only with up to "
                    + "\(most): pass --no-check or another --datatype")
        }
    }

    /// Refuses buffers that this machine's memory cannot hold, where all ranks are to run on it.
    func validateMemory(localRanks: Int) throws {
        let benchmark = CollectiveBenchmarks.benchmark(for: collective)
        let count = benchmark.counts(self, ranks: localRanks).last ?? 0
        // Nobody's buffers are larger than the root's.
        let layout = benchmark.layout(
            count: count, ranks: localRanks, rank: benchmark.hasRoot ? root : 0, root: root, inPlace: inPlace)
        do {
            try BenchmarkBuffers.capacities(
                largest: layout, elementBytes: dataType.byteCount, inPlace: inPlace, localRanks: localRanks)
        } catch let error as CollectiveError {
            throw ValidationError(error.message)
        }
    }

    /// The untimed operations before the timed ones, for a size. A pure function, so that ranks agree.
    func warmupCount(bytes: Int) -> Int {
        if let warmup { return warmup }
        return switch bytes {
        case ...(64 << 10): 50
        case ...(1 << 20): 20
        case ...(16 << 20): 5
        default: 2
        }
    }

    /// The timed operations, given the seconds that one takes on the slowest rank.
    ///
    /// The ranks agree if they pass the same seconds.
    func iterationCount(secondsEach: Double) -> Int {
        if let iterations { return iterations }
        let fitting = Self.targetSeconds / Swift.max(secondsEach, 1e-9)
        return Swift.min(5_000, Swift.max(5, Int(Swift.min(fitting, 1e9))))
    }

    /// How long the timed operations of one size should take together.
    private static let targetSeconds = 1.0 / 3
}
