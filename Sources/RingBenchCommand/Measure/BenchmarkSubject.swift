import RingCollectives
import RingCore

/// What is measured: one rank's end of a communicator, or a fake of one.
///
/// A rank uses it from one thread. Every method but ``prepare(_:)`` is collective: all ranks call it, in the same
/// order.
protocol BenchmarkSubject {
    /// A call that is ready to be run any number of times.
    associatedtype Operation

    var rank: Rank { get }
    var worldSize: Int { get }
    /// This rank's number on its host, and how many ranks the host has.
    var localRank: Int { get }
    var localWorldSize: Int { get }
    /// The transport's name: `tcp`.
    var transportName: String { get }

    /// Memory that the transport knows, of so many bytes; nil where there is no such thing.
    func registeredMemory(byteCount: Int) throws -> RegisteredBuffer<UInt8>?

    /// Makes everything of a call that need not be timed.
    func prepare(_ call: CollectiveCall) throws -> Operation

    /// Runs the operation on the calling thread; this is what is timed.
    func run(_ operation: Operation) throws

    /// Runs the operation and tells what it took.
    func runCounting(_ operation: Operation) throws -> OperationFigures

    /// Waits until all ranks are here.
    func barrier() throws

    /// Combines each of the values over all ranks.
    func combine(_ values: [Double], _ op: ReductionOperator) throws -> [Double]
}

extension BenchmarkSubject {
    func registeredMemory(byteCount: Int) throws -> RegisteredBuffer<UInt8>? { nil }
}

/// What one operation took, on this rank.
struct OperationFigures: Equatable, Sendable {
    /// The bytes of payload that this rank sent.
    var wireBytes: Int
    /// The bytes of the elements that they stood for.
    var elementBytes: Int
    /// The algorithm that ran.
    var algorithm: String
}
