import ArgumentParser

/// `ringbench devices`: shows this host's RDMA devices, and what the transport `auto` would do.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Show this host's RDMA devices and their ports, and what the transport auto would do here.",
        discussion: """
            A line a port, and one for each further address (GID) that it has. auto takes RDMA if every rank can; \
            this shows what this host says to that. RING_INTERFACE and RING_RDMA_DEVICE count here as they do in \
            a job. Docs/RDMA.md says what to do where a device is missing or not active.
            """
    )

    @Option(help: "How the answer is written: table or json.")
    var format: ReportFormat = .table

    func validate() throws {
        guard format != .csv else {
            throw ValidationError("--format csv is not for devices: use table or json")
        }
    }

    /// The answer, given the environment's variables.
    func report(environment: [String: String]) throws -> String {
        let report = DevicesReport(survey: try DeviceSurvey.ofThisHost(environment: environment))
        return format == .json ? report.json : report.table
    }
}
