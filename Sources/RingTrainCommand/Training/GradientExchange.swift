import RingCore

/// What data-parallel training needs from the ranks' communicator.
///
/// All ranks make the same calls in the same order. A call that throws ends the training on its rank. The
/// trainer makes all calls from one thread.
protocol GradientExchange {
    /// This rank's number.
    var rank: Rank { get }
    /// How many ranks train together.
    var worldSize: Int { get }

    /// Replaces every rank's elements by those of rank 0.
    func broadcast(_ elements: UnsafeMutableBufferPointer<Float>) throws

    /// Starts replacing the elements by their sums over the ranks.
    ///
    /// They must stay valid, and nobody may touch them, until the returned handle's `wait` has returned or
    /// thrown.
    func startSum(_ elements: UnsafeMutableBufferPointer<Float>) throws -> any PendingSum

    /// Replaces the values by their sums over the ranks.
    func sum(_ values: inout [Double]) throws

    /// Returns every rank's bytes in the order of ranks; all ranks pass the same number.
    func allGather(_ bytes: [UInt8]) throws -> [UInt8]

    /// What compression has taken from this rank's contributions to the sums of these elements and not sent since; nil
    /// if it keeps nothing, which is then so on all ranks.
    func residual(of elements: UnsafeMutableBufferPointer<Float>) -> [Float]?

    /// Goes on with what ``residual(of:)`` was, if it keeps anything.
    func restore(_ residual: [Float], of elements: UnsafeMutableBufferPointer<Float>)

    /// What this rank has sent so far.
    var traffic: Traffic { get }
}

extension GradientExchange {
    /// Nothing: for exchanges that take nothing away.
    func residual(of elements: UnsafeMutableBufferPointer<Float>) -> [Float]? { nil }
    /// Does nothing.
    func restore(_ residual: [Float], of elements: UnsafeMutableBufferPointer<Float>) {}
}

/// A sum over the ranks that runs while the caller computes.
protocol PendingSum {
    /// Waits until the sum is in place. Throws why it failed, after which nothing touches the elements either.
    func wait() throws

    /// Asks for the sum to end early; ``wait()`` still says when it has.
    func cancel()
}

/// What a rank's exchange has done so far, for the report.
struct Traffic: Sendable, Equatable {
    /// How many bytes of payload this rank has sent.
    var sentBytes = 0
    /// The names of the algorithms that summed gradients.
    var algorithms: Set<String> = []
}

/// The exchange of a rank that trains alone: every sum has one term.
struct SoloExchange: GradientExchange {
    let rank: Rank = 0
    let worldSize = 1
    let traffic = Traffic()

    func broadcast(_ elements: UnsafeMutableBufferPointer<Float>) {}
    func startSum(_ elements: UnsafeMutableBufferPointer<Float>) -> any PendingSum { Done() }
    func sum(_ values: inout [Double]) {}
    func allGather(_ bytes: [UInt8]) -> [UInt8] { bytes }

    private struct Done: PendingSum {
        func wait() {}
        func cancel() {}
    }
}
