import ArgumentParser
import RingCompression
import RingCore
import RingLaunch

extension MeasureCommand {
    /// Refuses what cannot be right, before a rank is started.
    func validate() throws {
        let settings = try self.settings()
        if let ranks {
            guard (1...LocalLauncher.mostRanks).contains(ranks) else {
                throw ValidationError(
                    "--ranks \(ranks) is not a number of ranks: give one from 1 to \(LocalLauncher.mostRanks)"
                )
            }
            try settings.validate(worldSize: ranks)
            try settings.validateMemory(localRanks: ranks)
        }
    }

    /// What to measure, checked as far as can be without knowing the world size.
    func settings() throws -> BenchmarkSettings {
        let collective = collective.value
        let benchmark = CollectiveBenchmarks.benchmark(for: collective)
        let compression = try checkedCompression(benchmark)
        let placement = placement ?? (benchmark.hasInPlace ? .inPlace : .outOfPlace)
        guard placement == .inPlace || benchmark.hasOutOfPlace else {
            throw ValidationError("\(collective.name) has no out-of-place form: leave out --out-of-place")
        }
        guard placement == .outOfPlace || benchmark.hasInPlace else {
            throw ValidationError("\(collective.name) has no in-place form: leave out --in-place")
        }
        guard !injectWrong || (check && benchmark.semantics != .synchronizes) else {
            throw ValidationError("--inject-wrong needs elements to corrupt and a check to find them")
        }
        guard !pingPong || collective == .sendReceive else {
            throw ValidationError("--ping-pong is for send-recv: leave it out with \(collective.name)")
        }
        guard (0...100).contains(zeros) else {
            throw ValidationError("--zeros \(zeros) is no percentage: give 0 to 100")
        }
        try requireCount(warmup, "--warmup", atLeast: 0)
        try requireCount(iterations, "--iterations", atLeast: 1)
        if let timeout, !(timeout > 0 && timeout <= 1e6) {
            throw ValidationError("--timeout \(timeout) is not a number of seconds above 0 and up to 1000000")
        }
        let plannedCall = try PlannedCall(algorithm: algorithm)
        let settings = BenchmarkSettings(
            collective: collective, sizes: try sizes(benchmark, plannedCall),
            dataType: datatype.value, op: op.value, root: root, transport: transport,
            algorithm: algorithm == "auto" ? nil : algorithm, plannedCall: plannedCall,
            compression: compression, zeros: zeros,
            warmup: warmup, iterations: iterations, inPlace: placement == .inPlace, isRegistered: registered,
            isPingPong: pingPong, check: check,
            format: format, timeout: timeout.map { .seconds($0) }, injectsWrong: injectWrong)
        try plannedCall?.validate(settings)
        return settings
    }

    /// The sizes asked for: without a bound, and with plans, the one that these are for.
    private func sizes(_ benchmark: any CollectiveBenchmark, _ planned: PlannedCall?) throws -> SizeSweep {
        if benchmark.semantics == .synchronizes {
            return SizeSweep(min: 0, max: 0, factor: SizeSweep.defaultFactor)
        }
        if let planned, minBytes == nil, maxBytes == nil {
            let bytes = planned.count * datatype.value.byteCount
            return SizeSweep(min: bytes, max: bytes, factor: stepFactor)
        }
        return try SizeSweep(minBytes: minBytes, maxBytes: maxBytes, factor: stepFactor)
    }

    /// How elements are compressed, if the collective's can be.
    private func checkedCompression(_ benchmark: any CollectiveBenchmark) throws -> Compression {
        let compression = compression.value
        guard compression != .none else { return compression }
        do {
            _ = try compression.codec(for: datatype.value)
        } catch { throw ValidationError("--compression \(compression.name): \(error.message)") }
        guard benchmark.canBeCompressed else {
            throw ValidationError(
                "--compression \(compression.name): \(benchmark.collective.name) cannot be compressed")
        }
        guard op.value != .product || compression.isLossless || benchmark.semantics != .reduces else {
            throw ValidationError(
                "--compression \(compression.name) has no error bound for products: use lz4 or none")
        }
        return compression
    }

    private func requireCount(_ value: Int?, _ option: String, atLeast least: Int) throws {
        let most = 100_000_000
        guard let value, !(least...most).contains(value) else { return }
        throw ValidationError("\(option) \(value) is out of range: give \(least) to \(most)")
    }
}
