import RingCore
import RingTransport

/// What a rank is doing, as it tells the judge.
struct OperationStatus: Hashable, Sendable {
    /// The number of the operation it is in, or of the next one if it is in none.
    var sequence: UInt64
    /// The operation it is in, if it is in one.
    var signature: OperationSignature?
    /// The operation before that one, which it has ended, if there was one.
    var previous: OperationSignature?
    /// The peer that it waits for, if it waits.
    var waitingFor: Rank?
    /// How much it has received of the operation: grows with each byte; the largest number once nothing is missing.
    var received: UInt64 = 0
    /// The time that the operation was given, in milliseconds.
    var timeoutMilliseconds: UInt64
    /// How much of that time is left, in milliseconds.
    var remainingMilliseconds: UInt64 = 0

    /// What it believes an operation to be, or to have been, as far as it can still tell.
    func view(of sequence: UInt64) -> OperationSignature? {
        if sequence == self.sequence { return signature.flatMap { $0.isMessage ? nil : $0 } }
        return sequence &+ 1 == self.sequence ? previous : nil
    }
}

/// Why a communicator has failed, in the same words on all ranks.
struct Verdict: Hashable, Sendable {
    /// What kind of failure.
    var code: CollectiveError.Code
    /// What happened.
    var message: String
    /// The rank at fault, if one is known.
    var culprit: Rank?
    /// Whether a running operation fails at once. If not, it may go on for as long as it makes progress: a rank that
    /// has ended may have sent all that the others need.
    var isUrgent: Bool

    /// The verdict as an error.
    var error: CollectiveError { CollectiveError(code, message, peer: culprit) }

    init(code: CollectiveError.Code, message: String, culprit: Rank?, isUrgent: Bool = true) {
        self.code = code
        self.message = message
        self.culprit = culprit
        self.isUrgent = isUrgent
    }

    init(_ error: CollectiveError) {
        var message = error.message
        if let cause = error.cause { message += " (\(cause))" }
        self.init(code: error.code, message: message, culprit: error.peer)
    }
}

/// What watchdogs say to each other: members to the judge on rank 0, and back.
enum ControlMessage: Hashable, Sendable {
    /// Member: my operation has failed.
    case failed(Verdict)
    /// Member: my link to this rank ended; if you know no better, this is why.
    case suspect(Rank, Verdict)
    /// Member: no byte has moved here for a while.
    case stalled(OperationStatus)
    /// Member: my operation's deadline is near, or has passed.
    case expiring(OperationStatus)
    /// Judge: all ranks have come; the communicator may be used.
    case ready
    /// Judge: what are you doing?
    case probe(UInt32)
    /// Member: the answer to that probe, repeated for a while when what I am doing changes.
    case status(UInt32, OperationStatus)
    /// Judge: the communicator has failed.
    case verdict(Verdict)
    /// Either: I am leaving in good order.
    case goodbye
}
