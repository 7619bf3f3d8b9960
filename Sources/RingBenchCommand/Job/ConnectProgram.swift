import Foundation
import RingCollectives
import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What one rank of `ringbench connect` does: connects, makes links, and tells rank 0 what that took.
struct ConnectProgram {
    let transport: TransportChoice
    let format: ReportFormat

    /// What is measured on each rank, in the order in which it is reported.
    static let figures: [(key: String, text: String)] = [
        ("connect_ms", "connect (ms)"),
        ("connect_cpu_ms", "connect, processor time (ms)"),
        ("ring_ms", "first ring all-reduce, 2 links (ms)"),
        ("all_to_all_ms", "first all-to-all, a link to every rank (ms)"),
        ("process_kib", "memory before (KiB)"),
        ("connected_kib", "communicator connected (KiB more)"),
        ("ring_kib", "after the all-reduce (KiB more)"),
        ("all_to_all_kib", "after the all-to-all (KiB more)"),
    ]

    /// Runs on the calling thread and returns the exit status.
    func run() -> Int32 {
        let configuration: Configuration
        do {
            configuration = try RankProgram.configuration(
                BenchmarkSettings(
                    collective: .barrier, sizes: SizeSweep(min: 0, max: 0, factor: 2), transport: transport),
                environment: ProcessInfo.processInfo.environment)
        } catch {
            StandardStream.error.writeLine("ringbench: \(RankProgram.message(error))")
            return ExitStatus.usage
        }
        do {
            let before = Snapshot()
            let communicator = try Communicator.connectBlocking(configuration)
            defer { communicator.close() }
            let connected = Snapshot()
            try firstRing(communicator)
            let ring = Snapshot()
            try firstAllToAll(communicator)
            let all = Snapshot()
            let own = [
                (connected.time - before.time) * 1e3, (connected.processorTime - before.processorTime) * 1e3,
                (ring.time - connected.time) * 1e3, (all.time - ring.time) * 1e3, before.memory,
                connected.memory - before.memory, ring.memory - before.memory, all.memory - before.memory,
            ]
            let subject = CommunicatorSubject(communicator: communicator)
            let most = try subject.combine(own, .max)
            let mean = try subject.combine(own, .average)
            if communicator.rank == 0 { report(communicator, mean: mean, most: most) }
            return ExitStatus.success
        } catch {
            StandardStream.error.writeLine(
                RankProgram.line(RankProgram.message(error), rank: configuration.rank))
            return ExitStatus.forError(error)
        }
    }

    private func firstRing(_ communicator: Communicator) throws {
        var element: [Float] = [1]
        try element.withUnsafeMutableBufferPointer {
            _ = try communicator.run(.allReduce($0, .sum).using(Algorithm(name: "ring")))
        }
    }

    private func firstAllToAll(_ communicator: Communicator) throws {
        var elements = [Float](repeating: 1, count: communicator.worldSize)
        try elements.withUnsafeMutableBufferPointer {
            _ = try communicator.run(.allToAll($0).using(Algorithm(name: "pairwise")))
        }
    }

    private func report(_ communicator: Communicator, mean: [Double], most: [Double]) {
        let output = StandardStream.output
        guard format == .table else {
            let rows = Self.figures.indices.flatMap { index in
                [("mean", mean), ("max", most)].map { (name, values) in
                    ("\(Self.figures[index].key)_\(name)", JSONValue.number(values[index]))
                }
            }
            output.writeLine(
                JSONValue.object(
                    [
                        ("ranks", .integer(communicator.worldSize)),
                        ("ranks_per_host", .integer(communicator.localWorldSize)),
                        ("transport", .string(communicator.transportName)),
                    ] + rows))
            return
        }
        output.writeLine(
            "# ringbench connect: \(communicator.worldSize) ranks, \(communicator.localWorldSize) on rank 0's host, "
                + "transport \(communicator.transportName)")
        let rows = Self.figures.indices.map { index in
            [
                Self.figures[index].text, NumberText.fixed(mean[index], digits: 1),
                NumberText.fixed(most[index], digits: 1),
            ]
        }
        output.writeLine(String(TextColumns.text([["", "mean", "max"]] + rows).dropLast()))
    }
}

/// What a process has used so far.
private struct Snapshot {
    /// Seconds by a clock that nobody sets.
    var time: Double
    /// Seconds that its threads have run.
    var processorTime: Double
    /// KiB that it shares with no other process and has written to.
    var memory: Double

    init() {
        time = Double(Deadline.now.nanoseconds) / 1e9
        var clock = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &clock)
        processorTime = Double(clock.tv_sec) + Double(clock.tv_nsec) / 1e9
        let rollup = (try? FileDescriptor.open("/proc/self/smaps_rollup").contents(atMost: 1 << 16)) ?? []
        let line = String(decoding: rollup, as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("Private_Dirty:")
        }
        memory = line?.split(separator: " ").compactMap { Double($0) }.first ?? .nan
    }
}
