import RingCore

/// Measures one collective, size by size, on one rank. All ranks run it together.
struct BenchmarkRunner<Subject: BenchmarkSubject> {
    let subject: Subject
    let settings: BenchmarkSettings
    let benchmark: any CollectiveBenchmark
    /// Whether all ranks read the same clock.
    let isOneHost: Bool
    /// Takes one line about what this rank found wrong.
    let log: (String) -> Void

    /// Measures every size and hands over each result as soon as it is there.
    ///
    /// - Parameter begin: called once the operation is known to work: what the library refuses, such as an
    ///   algorithm that it does not have, is refused before anything is reported.
    /// - Parameter report: returns whether this rank has a use for more. Once one has not, all ranks end.
    func run(begin: () throws -> Void, report: (BenchmarkResult) throws -> Bool) throws {
        let counts = benchmark.counts(settings, ranks: subject.worldSize)
        let buffers = try BenchmarkBuffers(
            largest: layout(count: counts.last ?? 0), elementBytes: settings.dataType.byteCount,
            inPlace: settings.inPlace, localRanks: subject.localWorldSize,
            register: { settings.isRegistered ? try subject.registeredMemory(byteCount: $0) : nil })
        if let smallest = counts.first {
            try subject.run(subject.prepare(call(count: smallest, layout(count: smallest), buffers)))
        }
        try begin()
        for count in counts {
            let isDone = try !report(measure(count: count, buffers: buffers))
            if try subject.combine([isDone ? 1 : 0], .max)[0] > 0 { return }
        }
    }

    private func measure(count: Int, buffers: BenchmarkBuffers) throws -> BenchmarkResult {
        let layout = layout(count: count)
        let operation = try subject.prepare(call(count: count, layout, buffers))
        let bytes = count * settings.dataType.byteCount
        let warmup = settings.warmupCount(bytes: bytes)

        buffers.fill(layout, check: check(salt: 0), rank: subject.rank)
        let untimed = try times(of: operation, count: warmup)
        let iterations = settings.iterationCount(secondsEach: try secondsEach(untimed, bytes: bytes))
        try subject.barrier()
        let timed = try times(of: operation, count: iterations)
        let time = try slowest(TimingSummary(nanoseconds: timed))

        // Twice, because counting need not take the path through the library that was timed.
        buffers.fill(layout, check: check(salt: 1), rank: subject.rank)
        let figures = try subject.runCounting(operation)
        var found = Mismatches()
        if settings.check {
            found.add(verify(layout, buffers, count: count, check: check(salt: 1)))
            buffers.fill(layout, check: check(salt: 2), rank: subject.rank)
            if benchmark.semantics == .synchronizes {
                found.count += try runLate(operation)
            } else {
                try subject.run(operation)
            }
            found.add(verify(layout, buffers, count: count, check: check(salt: 2)))
        }
        let wrongOfAll = try subject.combine([Double(found.count)], .sum)[0]
        let largestError = try subject.combine([found.largestError], .max)[0]

        return BenchmarkResult(
            collective: settings.collective, bytes: bytes, count: count, dataType: settings.dataType,
            op: benchmark.semantics == .reduces ? settings.op : nil,
            root: benchmark.hasRoot ? settings.root : nil,
            algorithm: figures.algorithm, transport: subject.transportName,
            compression: settings.compression.name, inPlace: settings.inPlace, ranks: subject.worldSize,
            warmup: warmup, iterations: iterations, time: time,
            busFactor: benchmark.busFactor(ranks: subject.worldSize),
            wrong: settings.check ? Int(wrongOfAll) : nil, wireBytes: figures.wireBytes,
            elementBytes: figures.elementBytes, largestError: settings.check ? largestError : nil)
    }

    fileprivate func layout(count: Int, rank: Rank? = nil) -> BufferLayout {
        benchmark.layout(
            count: count, ranks: subject.worldSize, rank: rank ?? subject.rank, root: settings.root,
            inPlace: settings.inPlace)
    }

    private func call(count: Int, _ layout: BufferLayout, _ buffers: BenchmarkBuffers) -> CollectiveCall {
        CollectiveCall(
            collective: settings.collective, dataType: settings.dataType, count: count, rank: subject.rank,
            ranks: subject.worldSize, op: settings.op, root: settings.root,
            input: buffers.separateInput(layout).map { UnsafeRawBufferPointer($0) },
            output: buffers.output(layout), algorithm: settings.algorithm,
            compression: settings.compression, isPingPong: settings.isPingPong, timeout: settings.timeout)
    }
}

extension BenchmarkRunner {
    /// Runs the operation so often and times each one, in nanoseconds; of a round trip, one way.
    private func times(of operation: Subject.Operation, count: Int) throws -> [UInt64] {
        var times = [UInt64](repeating: 0, count: count)
        for index in times.indices {
            let start = Deadline.now.nanoseconds
            try subject.run(operation)
            times[index] = (Deadline.now.nanoseconds - start) / (settings.isPingPong ? 2 : 1)
        }
        return times
    }

    /// How long an operation takes on the slowest rank: the median of the untimed ones, or an estimate. The same
    /// on all ranks.
    private func secondsEach(_ untimed: [UInt64], bytes: Int) throws -> Double {
        guard settings.iterations == nil else { return 1 }
        guard !untimed.isEmpty else { return Swift.max(20e-6, Double(bytes) * 1e-9) }
        let median = TimingSummary(nanoseconds: untimed).p50 * 1e-6
        return try subject.combine([median], .max)[0]
    }

    /// The summary of the slowest rank.
    private func slowest(_ own: TimingSummary) throws -> TimingSummary {
        let each = own.figures.count
        var figures = [Double](repeating: 0, count: each * subject.worldSize)
        figures.replaceSubrange(subject.rank * each..<(subject.rank + 1) * each, with: own.figures)
        return TimingSummary(slowestOf: try subject.combine(figures, .max))
    }
}

extension BenchmarkRunner {
    private func check(salt: UInt64) -> BufferCheck {
        BufferCheck(
            dataType: settings.dataType, op: benchmark.semantics == .reduces ? settings.op : nil,
            ranks: subject.worldSize, salt: salt, compression: settings.compression, zeros: settings.zeros)
    }

    /// Counts what this rank finds wrong, and logs the first of it.
    private func verify(
        _ layout: BufferLayout, _ buffers: BenchmarkBuffers, count: Int, check: BufferCheck
    ) -> Mismatches {
        if settings.injectsWrong { corrupt(layout, buffers, count: count) }
        let mismatches = buffers.verify(layout, check: check, rank: subject.rank)
        if let first = mismatches.first {
            log(
                "\(settings.collective.name) of \(count) \(settings.dataType.name) is wrong: "
                    + "\(first); \(mismatches.count) wrong in all")
        }
        return mismatches
    }

    /// Flips the lowest bit of one element of the result, on the last rank that has any.
    private func corrupt(_ layout: BufferLayout, _ buffers: BenchmarkBuffers, count: Int) {
        let last = (0..<subject.worldSize).last { rank in
            self.layout(count: count, rank: rank).output.contains { !$0.elements.isEmpty }
        }
        guard last == subject.rank, let piece = layout.output.first(where: { !$0.elements.isEmpty }) else {
            return
        }
        let element = piece.offset + piece.elements.count / 2
        buffers.output(layout)[element * settings.dataType.byteCount] ^= 1
    }

    /// Runs a barrier that the last rank enters late; 1 if this rank left before that.
    ///
    /// Only where all ranks read the same clock; elsewhere it just runs.
    private func runLate(_ operation: Subject.Operation) throws -> Int {
        try subject.barrier()
        if subject.rank == subject.worldSize - 1 { Pause.milliseconds(5) }
        let entered = Deadline.now.nanoseconds
        try subject.run(operation)
        let left = Deadline.now.nanoseconds
        // Whole nanoseconds since boot are exact in a float64 for a hundred days, and then off by a few.
        let lastEntry = try subject.combine([Double(entered)], .max)[0]
        guard isOneHost, Double(left) < lastEntry else { return 0 }
        log("barrier is wrong: left \((lastEntry - Double(left)) / 1e3) us before the last rank had entered")
        return 1
    }
}
