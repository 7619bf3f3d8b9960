import RingCore
import RingSystem
import Testing

@testable import RingBenchCommand

/// Whole runs over a fake job: what is reported where all is well, and that no fault goes unnoticed.
@Suite struct BenchmarkSessionTests {
    private static let measured = CollectiveBenchmarks.all.map(\.collective)

    @Test(arguments: measured, 1...9)
    func nothingIsWrongInARightWorld(_ collective: Collective, _ ranks: Int) async throws {
        for inPlace in placements(of: collective) {
            var settings = Self.settings(collective, sizes: [4, 400])
            settings.inPlace = inPlace
            settings.root = ranks - 1
            let outcome = await session(settings, FakeWorld(ranks: ranks))
            for result in outcome.results {
                let results = try result.get()
                #expect(results.map(\.wrong) == Array(repeating: 0, count: results.count))
            }
            #expect(outcome.log.isEmpty)
        }
    }

    @Test(arguments: DataType.allCases, ReductionOperator.allCases)
    func nothingIsWrongForAnyTypeAndOperator(_ dataType: DataType, _ op: ReductionOperator) async throws {
        for collective in [Collective.allReduce, .reduceScatter] {
            var settings = Self.settings(collective, sizes: [1, 24, 999])
            settings.dataType = dataType
            settings.op = op
            let outcome = await session(settings, FakeWorld(ranks: 3))
            #expect(outcome.log.isEmpty)
            let results = try outcome.results[0].get()
            #expect(results.allSatisfy { $0.wrong == 0 && $0.count > 0 })
        }
    }

    private static let copyFaults: [FakeWorld.Fault] = [
        .flipsBit(rank: 1), .shiftsByOne(rank: 2), .writesBeyondEnd(rank: 0), .writesBeforeStart(rank: 2),
        .doesNothing,
    ]

    @Test(
        arguments: [Collective.allReduce, .reduceScatter, .allGather, .broadcast, .scatter, .allToAll],
        copyFaults)
    func aFaultIsCountedOnAllRanksAndLogged(_ collective: Collective, _ fault: FakeWorld.Fault) async throws {
        for inPlace in placements(of: collective) {
            var settings = Self.settings(collective, sizes: [400])
            settings.inPlace = inPlace
            let outcome = await session(settings, FakeWorld(ranks: 3, fault: fault))
            let wrong = try outcome.results.map { try $0.get()[0].wrong ?? 0 }
            #expect(wrong[0] > 0 && Set(wrong).count == 1)
            #expect(!outcome.log.isEmpty)
        }
    }

    @Test func aMissingContributionIsFound() async throws {
        for op in ReductionOperator.allCases {
            var settings = Self.settings(.allReduce, sizes: [4096])
            settings.op = op
            let outcome = await session(settings, FakeWorld(ranks: 4, fault: .leavesOut(rank: 2)))
            let wrong = try #require(try outcome.results[0].get()[0].wrong)
            #expect(wrong > 0)
        }
    }

    @Test func aChangedInputIsFound() async throws {
        var settings = Self.settings(.allReduce, sizes: [4096])
        settings.inPlace = false
        let outcome = await session(settings, FakeWorld(ranks: 2, fault: .changesInput(rank: 1)))
        #expect(try outcome.results[0].get()[0].wrong == 2)
        #expect(outcome.log.contains { $0.contains("the input was changed: element 0") })
    }

    @Test func aBarrierThatDoesNotWaitIsFound() async throws {
        let outcome = await session(
            Self.settings(.barrier, sizes: [0]), FakeWorld(ranks: 3, fault: .barrierDoesNotWait))
        #expect(try outcome.results[0].get()[0].wrong == 2)
        #expect(outcome.log.contains { $0.contains("before the last rank had entered") })
    }

    @Test(
        arguments: [
            Collective.allReduce, .reduceScatter, .allGather, .broadcast, .reduce, .gather, .scatter,
            .allToAll,
        ], 1...4)
    func anInjectedErrorIsFound(_ collective: Collective, _ ranks: Int) async throws {
        var settings = Self.settings(collective, sizes: [4, 4096])
        settings.injectsWrong = true
        let outcome = await session(settings, FakeWorld(ranks: ranks))
        // Once in each of the two operations that are checked.
        #expect(try outcome.results[0].get().map(\.wrong) == [2, 2])
    }

    @Test func withoutCheckNothingIsCounted() async throws {
        var settings = Self.settings(.allReduce, sizes: [4096])
        settings.check = false
        let outcome = await session(settings, FakeWorld(ranks: 2, fault: .flipsBit(rank: 0)))
        #expect(try outcome.results[0].get()[0].wrong == nil)
        #expect(outcome.log.isEmpty)
    }

    @Test func aFailingRankFailsTheRun() async throws {
        let outcome = await session(
            Self.settings(.allReduce, sizes: [4]), FakeWorld(ranks: 3, fault: .throwsError(rank: 1)))
        for result in outcome.results {
            #expect(throws: CollectiveError.self) { try result.get() }
        }
    }

    @Test func onlyRankZeroReports() async throws {
        let outcome = await session(Self.settings(.allGather, sizes: [4, 16]), FakeWorld(ranks: 3))
        #expect(outcome.output[0].contains("all-gather"))
        #expect(outcome.output.dropFirst() == ["", ""])
    }

    @Test func theFiguresAreThoseOfTheSettings() async throws {
        var settings = Self.settings(.broadcast, sizes: [50])
        settings.root = 2
        settings.iterations = 7
        settings.algorithm = "flood"
        let outcome = await session(settings, FakeWorld(ranks: 3))
        let result = try outcome.results[0].get()[0]
        #expect(result.bytes == 48 && result.count == 12 && result.iterations == 7 && result.warmup == 1)
        #expect(result.root == 2 && result.op == nil && result.algorithm == "flood")
        #expect(result.wireBytes == 1_000 && result.ranks == 3 && result.transport == "fake")
        #expect(result.time.min <= result.time.mean && result.time.mean <= result.time.max)
    }

    @Test func theNumberOfOperationsIsAgreedUpon() async throws {
        var settings = Self.settings(.allReduce, sizes: [4, 4096])
        settings.iterations = nil
        settings.warmup = nil
        let outcome = await session(settings, FakeWorld(ranks: 3))
        let iterations = try outcome.results.map { try $0.get().map(\.iterations) }
        #expect(Set(iterations).count == 1)
        #expect(iterations[0].allSatisfy { (5...5_000).contains($0) })
    }

    @Test func buffersBeyondTheMachinesMemoryAreRefused() async throws {
        let settings = Self.settings(.allReduce, sizes: [MachineDescription.installedMemory / 2])
        let outcome = await session(settings, FakeWorld(ranks: 2))
        for result in outcome.results {
            let error = #expect(throws: CollectiveError.self) { try result.get() }
            #expect(error?.message.contains("do not fit this machine's") == true)
        }
    }

    private struct Outcome {
        var results: [Result<[BenchmarkResult], any Error>]
        var output: [String]
        var log: [String]
    }

    private static func settings(_ collective: Collective, sizes: [Int]) -> BenchmarkSettings {
        let (min, max) = (sizes.min() ?? 0, sizes.max() ?? 0)
        let factor = sizes.count < 2 ? 2 : Double(max) / Double(min)
        return BenchmarkSettings(
            collective: collective,
            sizes: SizeSweep(
                min: collective == .barrier ? 0 : min, max: collective == .barrier ? 0 : max, factor: factor),
            warmup: 1, iterations: 2)
    }

    private func placements(of collective: Collective) -> [Bool] {
        let benchmark = CollectiveBenchmarks.benchmark(for: collective)
        return (benchmark.hasInPlace ? [true] : []) + (benchmark.hasOutOfPlace ? [false] : [])
    }

    private func session(_ settings: BenchmarkSettings, _ world: FakeWorld) async -> Outcome {
        let texts = Monitor((output: [String](repeating: "", count: world.ranks), log: [String]()))
        let results = await world.run { rank in
            try BenchmarkSession(
                subject: rank, settings: settings,
                output: { text in texts.withLock { $0.output[rank.rank] += text } },
                log: { line in texts.withLock { $0.log.append(line) } }
            ).run()
        }
        return texts.withLock { Outcome(results: results, output: $0.output, log: $0.log) }
    }
}
