import ArgumentParser
import RingCollectives
import RingCore
import RingPlan

/// The one call that a file of plans is for, as far as a command line must fit it.
struct PlannedCall: Equatable, Sendable {
    /// The file.
    var path: String
    var collective: Collective
    var worldSize: Int
    /// The elements of the buffer, as ringbench counts them.
    var count: Int
    var root: Rank?
    var isInPlace: Bool
}

extension PlannedCall {
    /// Reads and proves the file that an algorithm's name asks for, if it asks for one.
    init?(algorithm name: String) throws {
        guard let path = Algorithm(name: name).planFile else { return nil }
        let file: PlanFile
        do {
            file = try PlanFile(contentsOf: path)
        } catch {
            throw ValidationError("--algorithm: \(error.message)")
        }
        let plan = file.plans[0]
        // In an all-to-all, the whole is all ranks' buffers.
        let buffers = plan.collective == .allToAll ? plan.worldSize : 1
        self.init(
            path: path, collective: plan.collective, worldSize: plan.worldSize,
            count: plan.elementCount / buffers, root: plan.root, isInPlace: plan.isInPlace)
    }

    /// Refuses settings of another call, the world size aside.
    func validate(_ settings: BenchmarkSettings) throws {
        try require("the collective", settings.collective.name, collective.name)
        try require("the form", Self.form(settings.inPlace), Self.form(isInPlace))
        if let root { try require("--root", "\(settings.root)", "\(root)") }
    }

    /// Refuses another world size, and sizes other than the plan's.
    func validate(_ settings: BenchmarkSettings, worldSize: Int) throws {
        try require("--ranks", "\(worldSize)", "\(self.worldSize)")
        let benchmark = CollectiveBenchmarks.benchmark(for: settings.collective)
        for wanted in benchmark.counts(settings, ranks: worldSize) {
            try require("the number of elements", "\(wanted)", "\(count)")
        }
    }

    private func require(_ what: String, _ wanted: String, _ found: String) throws {
        guard wanted != found else { return }
        throw ValidationError(
            "the plan file \(path) is for another call: \(what) is \(wanted), there \(found)")
    }

    private static func form(_ isInPlace: Bool) -> String { isInPlace ? "in place" : "out of place" }
}
