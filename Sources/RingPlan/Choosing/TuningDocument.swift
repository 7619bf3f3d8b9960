/// What a machine and its network cost, and how long collectives took there: what `ringbench tune` finds out and
/// `RING_TUNING` names.
package struct TuningDocument: Sendable, Hashable {
    /// The version that this library writes and reads.
    package static let version = 1

    /// Where it was measured, for people to read.
    package var machine: String
    /// When, for people to read.
    package var date: String
    /// The transport that was measured; the document counts for no other.
    package var transport: String
    /// How many processors each host had.
    package var processors: Int
    /// What the model's costs are there.
    package var parameters: CostParameters
    /// What was measured.
    package var measurements: [MeasuredTime]

    /// Creates a document.
    package init(
        machine: String, date: String, transport: String, processors: Int, parameters: CostParameters,
        measurements: [MeasuredTime]
    ) {
        self.machine = machine
        self.date = date
        self.transport = transport
        self.processors = processors
        self.parameters = parameters
        self.measurements = measurements
    }

    /// The selector that knows what this document says.
    package func selector(overrides: AlgorithmOverrides = AlgorithmOverrides()) -> Selector {
        Selector(
            model: CostModel(parameters), measured: MeasuredTimes(measurements), overrides: overrides)
    }
}
