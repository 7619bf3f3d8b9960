import RingCore
import RingPlan
import Testing

/// What is chosen, and why.
@Suite struct SelectorTests {
    static let names = Planners.names(for: .allReduce)

    static func query(_ bytes: Int, ranks: Int = 8, processors: Int = 2) -> CostQuery {
        CostQuery(
            .allReduce, elementCount: bytes / 4, elementSize: 4,
            topology: RankTopology(worldSize: ranks, processors: processors))
    }

    static func row(_ algorithm: String, _ bytes: Int, _ seconds: Double, elementSize: Int = 4)
        -> MeasuredTime
    {
        MeasuredTime(
            .allReduce, algorithm, ranks: 8, ranksPerHost: 8, elementSize: elementSize, bytes: bytes,
            seconds: seconds)
    }

    @Test func predictionsDecideWhereNothingWasMeasured() {
        let small = Selector().choose(Self.query(4), among: Self.names)
        let large = Selector().choose(Self.query(256 << 20), among: Self.names)
        #expect(small.reason == .predicted && large.reason == .predicted)
        // Few messages for few bytes, few bytes for many.
        #expect(small.algorithm != "ring" && small.algorithm != "bidirectional-ring")
        #expect(large.algorithm != "binomial-tree" && large.algorithm != "recursive-doubling")
        for choice in [small, large] {
            let best = choice.candidates.compactMap(\.predicted).min()
            #expect(choice.chosen.predicted == best)
            #expect(
                choice.explanation.hasPrefix("\(choice.algorithm) is predicted to be the fastest; the next, ")
            )
            #expect(choice.candidates.map(\.algorithm) == Self.names)
        }
    }

    /// Compressed elements count for as many bytes as are left of them.
    @Test func compressionCountsTheBytesThatAreLeft() {
        let query = Self.query(64 << 20)
        #expect(query.compressed(.none) == query && query.compressed(.lz4) == query)
        #expect(query.compressed(.bfloat16).byteCount == 32 << 20)
        let choice = Selector().choose(query, among: Self.names, compression: .bfloat16)
        let plain = Selector().choose(
            Self.query(32 << 20), among: Self.names.filter { $0 != "recursive-doubling" })
        #expect(choice == plain)
        #expect(
            Selector().choose(query, among: Self.names, compression: .lz4).candidates.count
                == Self.names.count)
    }

    /// int4 goes the way that encodes each contribution once, unless that takes much longer or another is asked for.
    @Test(arguments: [(1.4, "direct"), (1.6, "ring")])
    func int4IsEncodedOnce(times: Double, expected: String) {
        let bytes = 1 << 20
        let query = Self.query(bytes * 8)
        let left = query.compressed(.int4()).byteCount
        let measured = MeasuredTimes([Self.row("ring", left, 1e-3), Self.row("direct", left, times * 1e-3)])
        let choice = Selector(measured: measured).choose(query, among: Self.names, compression: .int4())
        #expect(choice.algorithm == expected)
        if expected == "direct" {
            #expect(
                choice.explanation
                    == "direct encodes each contribution once, which costs least accuracy, and takes 40 % longer "
                    + "than the fastest, ring")
        }
        #expect(
            Selector(measured: measured).choose(query, among: Self.names, compression: .int8()).algorithm
                == "ring")
    }

    @Test func measuredTimesWin() {
        let selector = Selector(
            measured: MeasuredTimes([
                Self.row("ring", 1000, 9e-6), Self.row("direct", 1000, 5e-6), Self.row("ring", 3000, 10e-6),
                Self.row("direct", 3000, 25e-6),
            ]))
        let small = selector.choose(Self.query(1000), among: Self.names)
        #expect(small.algorithm == "direct" && small.reason == .measured)
        #expect(
            small.explanation == "direct was measured to be the fastest; the next, ring, takes 80 % longer")
        let between = selector.choose(Self.query(2000), among: Self.names)
        #expect(between.algorithm == "ring")
        #expect(abs(between.chosen.measured! - 9.5e-6) < 1e-12)
        // Below the smallest size, and above the largest.
        #expect(selector.choose(Self.query(4), among: Self.names).algorithm == "direct")
        let large = selector.choose(Self.query(6000), among: Self.names)
        #expect(large.algorithm == "ring")
        #expect(abs(large.chosen.measured! - 20e-6) < 1e-12)
        // Another number of ranks, and another collective, were not measured.
        #expect(selector.choose(Self.query(1000, ranks: 4), among: Self.names).reason == .predicted)
        // What cannot carry out the call is not chosen, however fast.
        #expect(selector.choose(Self.query(1000), among: ["ring", "bidirectional-ring"]).algorithm == "ring")
    }

    @Test func rowsOfTheNearestElementSizeCount() {
        let times = MeasuredTimes([
            Self.row("ring", 1000, 1e-6, elementSize: 1), Self.row("ring", 1000, 4e-6),
            Self.row("ring", 1000, 5e-6),
            Self.row("ring", 1000, 8e-6, elementSize: 8),
        ])
        for (size, seconds) in [(1, 1e-6), (2, 1e-6), (4, 5e-6), (8, 8e-6)] {
            var query = Self.query(1000)
            query.elementSize = size
            query.elementCount = 1000 / size
            #expect(times.times(query) == ["ring": seconds])
        }
    }

    @Test func wishesComeFirst() throws {
        var selector = Selector(measured: MeasuredTimes([Self.row("direct", 1000, 5e-6)]))
        selector.overrides = try AlgorithmOverrides("ring")
        let choice = selector.choose(Self.query(1000), among: Self.names)
        #expect(choice.algorithm == "ring" && choice.reason == .wanted)
        #expect(choice.explanation == "ring was asked for")
        // A wish that cannot be met is none.
        #expect(selector.choose(Self.query(1000), among: ["direct", "binomial-tree"]).algorithm == "direct")
        #expect(selector.choose(Self.query(1000), among: ["direct"]).reason == .only)
    }

    @Test func theChoiceDoesNotDependOnThePlace() {
        for bytes in [4, 1 << 12, 1 << 20] {
            var query = Self.query(bytes)
            let inPlace = Selector().choose(query, among: Self.names)
            query.isInPlace = false
            #expect(Selector().choose(query, among: Self.names) == inPlace)
        }
    }

    @Test func overridesAreRead() throws {
        let ring = try AlgorithmOverrides("ring")
        #expect(ring[.allReduce] == "ring" && ring[.allGather] == "ring" && ring[.broadcast] == nil)
        let several = try AlgorithmOverrides("direct,all-reduce=ring,gather=auto")
        #expect(several[.allReduce] == "ring" && several[.allGather] == "direct" && several[.gather] == nil)
        #expect(try AlgorithmOverrides("auto") == AlgorithmOverrides())
        #expect(try AlgorithmOverrides("ring,auto") == AlgorithmOverrides())
    }

    @Test(arguments: [
        ("", "''"), ("rong", "'rong'"), ("all-reduce=bruck", "'bruck' is not an algorithm for all-reduce"),
        ("allreduce=ring", "'allreduce' is not a collective"), ("ring,,", "''"), ("a=b=c", "'a=b=c'"),
    ])
    func wrongOverridesAreErrors(_ text: String, _ part: String) {
        let error = #expect(throws: CollectiveError.self) { try AlgorithmOverrides(text) }
        #expect(error?.code == .invalidConfiguration && error?.message.contains(part) == true)
        #expect(error?.message.contains("\n") == false)
    }
}
