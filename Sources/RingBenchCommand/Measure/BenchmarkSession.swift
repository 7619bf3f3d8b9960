import RingCore

/// A whole run on one rank: finds out what runs where, measures every size, reports.
struct BenchmarkSession<Subject: BenchmarkSubject> {
    let subject: Subject
    let settings: BenchmarkSettings
    /// Takes the report, on rank 0 alone.
    let output: (String) throws -> Void
    /// Takes single lines about what went wrong on this rank.
    let log: (String) -> Void

    /// Runs it; all ranks do so together.
    ///
    /// - Returns: the results, the same on all ranks up to ``BenchmarkResult/wireBytes`` and the algorithm.
    func run() throws -> [BenchmarkResult] {
        let benchmark = CollectiveBenchmarks.benchmark(for: settings.collective)
        let environment = try BenchmarkEnvironment(subject: subject, settings: settings)
        let reporter = settings.format.reporter
        var results: [BenchmarkResult] = []
        let runner = BenchmarkRunner(
            subject: subject, settings: settings, benchmark: benchmark, isOneHost: environment.hosts == 1,
            log: log)
        try runner.run {
            try write(reporter.begin(environment))
        } report: { result in
            results.append(result)
            try write(reporter.result(result))
        }
        try write(reporter.end(environment, results))
        // A launcher ends the job when one rank ends with an error, so none may before the report is written.
        try subject.barrier()
        return results
    }

    private func write(_ text: String) throws {
        guard subject.rank == 0, !text.isEmpty else { return }
        try output(text)
    }
}
