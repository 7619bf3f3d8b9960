import RingCore
import RingPlan

/// Measures all algorithms on one rank; all ranks do so together.
///
/// At each size, the algorithms take turns, three rounds of them, and the median round counts: what disturbs the
/// machine for a moment disturbs all alike. An algorithm that has fallen far behind twice in a row is not measured at
/// larger sizes.
struct Tuner<Subject: BenchmarkSubject> {
    let subject: Subject
    let settings: TuningSettings
    /// Takes single lines about the progress, on rank 0 alone.
    let log: (String) -> Void

    private static var rounds: Int { 3 }
    /// How many times the best's time an algorithm may take and still be measured at the next size.
    private static var hopeless: Double { 4 }

    /// The measured times of the slowest ranks, the same on all ranks.
    func measure(ranksPerHost: Int, processors: Int) throws -> [MeasuredTime] {
        var rows: [MeasuredTime] = []
        for collective in settings.collectives {
            if subject.rank == 0 { log("measuring \(collective.name)") }
            rows += try measure(
                collective,
                topology: RankTopology(
                    worldSize: subject.worldSize, ranksPerHost: ranksPerHost, processors: processors))
        }
        return rows
    }

    private func measure(_ collective: Collective, topology: RankTopology) throws -> [MeasuredTime] {
        let benchmark = CollectiveBenchmarks.benchmark(for: collective)
        let elementSize = settings.dataType.byteCount
        var counts: [Int] = []
        for wanted in settings.sizes.counts(elementBytes: elementSize) {
            let count = benchmark.count(near: wanted, ranks: subject.worldSize)
            if count != counts.last { counts.append(count) }
        }
        func layout(_ count: Int) -> BufferLayout {
            benchmark.layout(
                count: count, ranks: subject.worldSize, rank: subject.rank, root: 0, inPlace: true)
        }
        let buffers = try BenchmarkBuffers(
            largest: layout(counts.last ?? 0), elementBytes: elementSize, inPlace: true,
            localRanks: subject.localWorldSize)
        var rows: [MeasuredTime] = []
        // How often in a row each has been far behind.
        var defeats: [String: Int] = [:]
        for count in counts {
            let question = ChoiceQuestion(
                collective, bytes: count * elementSize, dataType: settings.dataType, topology: topology)
            let names = question.candidates.filter { defeats[$0, default: 0] < 2 }
            let operations = try names.map { name in
                try subject.prepare(
                    CollectiveCall(
                        collective: collective, dataType: settings.dataType, count: count, rank: subject.rank,
                        ranks: subject.worldSize, op: .sum, root: 0, input: nil,
                        output: buffers.output(layout(count)), algorithm: name, timeout: nil))
            }
            let seconds = try time(operations)
            let best = seconds.min() ?? 0
            for (name, seconds) in zip(names, seconds) {
                defeats[name] = seconds > Self.hopeless * best ? defeats[name, default: 0] + 1 : 0
                rows.append(
                    MeasuredTime(
                        collective, name, ranks: topology.worldSize, ranksPerHost: topology.ranksPerHost,
                        elementSize: elementSize, bytes: question.query.byteCount, seconds: seconds))
            }
        }
        return rows
    }

    /// The seconds that each of the operations takes on the slowest rank.
    private func time(_ operations: [Subject.Operation]) throws -> [Double] {
        var firsts: [Double] = []
        for operation in operations {
            // Twice: the first makes links and plans.
            _ = try seconds(of: operation, count: 1)
            firsts.append(try seconds(of: operation, count: 1))
        }
        firsts = try subject.combine(firsts, .max)
        var rounds: [[Double]] = []
        for _ in 0..<Self.rounds {
            var times: [Double] = []
            for (operation, first) in zip(operations, firsts) {
                let count = max(1, min(1_000, Int(settings.secondsEach / max(first, 1e-7))))
                try subject.barrier()
                times.append(try seconds(of: operation, count: count))
            }
            rounds.append(try subject.combine(times, .max))
        }
        return operations.indices.map { index in rounds.map { $0[index] }.sorted()[Self.rounds / 2] }
    }

    /// The mean seconds of so many runs in a row, on this rank.
    private func seconds(of operation: Subject.Operation, count: Int) throws -> Double {
        let start = Deadline.now.nanoseconds
        for _ in 0..<count { try subject.run(operation) }
        return Double(Deadline.now.nanoseconds - start) / 1e9 / Double(count)
    }
}
