import RingCompression
import RingCore
import RingPlan
import RingTransport

/// An operation that is to be run: what it is, and where its elements are.
struct OperationRequest: @unchecked Sendable {
    // The pointers are the caller's; by the contract of `Communicator.start` they stay valid, and nobody else
    // touches what they point at, until the operation has ended.
    var signature: OperationSignature
    var algorithm: String
    var isInPlace: Bool
    var input: UnsafeRawPointer?
    var output: UnsafeMutableRawPointer?
    var timeout: Duration
    /// What is sent or received, where the operation is a message between two ranks.
    var message: MessageRequest?
    /// What is copied to the output before the first transfer, where an operation in place does for one that is not.
    var initialCopy: InitialCopy?
    /// What most operations have nothing of; nil then, so that a request is quickly passed on.
    var extras: RequestExtras?

    /// The program of an operation that lends no memory, where it has been made.
    var program: PlanProgram?
    /// The buffers that are registered with the transport, so that they need not be copied.
    var registered: BufferSet = []
    /// Whether the transport is to be asked for a lease of the others.
    var asksForLease = false
    /// What owns the memory, if it is not the caller alone.
    var owners: [any AnyObject & Sendable] = []

    /// The elements of each rank, or from each to each, where they are not the even split; see `PlanRequest.counts`.
    var counts: [Int]? { extras?.counts }
    /// The caller's own plans, where it has brought some.
    var plans: PlanFile? { extras?.plans }
    /// How the elements are encoded on their way; nil: not at all.
    var compression: CompressionRequest? { extras?.compression }

    /// How many bytes the whole collective moves or reduces on one rank, as far as all ranks know it alike.
    var byteCount: Int { signature.elementCount * signature.dataType.byteCount }

    /// Whether some of its memory is used where it is, as far as it is known when the operation is planned.
    var mayLend: Bool { !registered.isEmpty || asksForLease }

    /// Whether each pair of ranks knows only its own counts: every frame then carries that of its own transfer.
    var isPairwise: Bool {
        guard counts != nil else { return false }
        switch signature.collective {
        case .gather, .scatter, .allToAll: return true
        default: return false
        }
    }
}

extension OperationRequest {
    /// The bytes of an output as large as the whole.
    var outputByteCount: Int { plannedCount * signature.dataType.byteCount }

    /// The elements that are planned for.
    var plannedCount: Int { counts?.reduce(0, +) ?? signature.elementCount }
}

/// What only some operations have.
final class RequestExtras: Sendable {
    let counts: [Int]?
    let plans: PlanFile?
    let compression: CompressionRequest?

    private init(counts: [Int]?, plans: PlanFile?, compression: CompressionRequest?) {
        self.counts = counts
        self.plans = plans
        self.compression = compression
    }

    /// Nil if there is nothing.
    static func of(
        counts: [Int]? = nil, plans: PlanFile? = nil, compression: CompressionRequest? = nil
    ) -> RequestExtras? {
        guard counts != nil || plans != nil || compression != nil else { return nil }
        return RequestExtras(counts: counts, plans: plans, compression: compression)
    }
}

/// A message between two ranks, this one and another.
struct MessageRequest: Hashable, Sendable {
    enum Direction: Sendable {
        case send
        case receive
    }

    var direction: Direction
    /// The other rank.
    var peer: Rank
}

/// Elements that are copied within a rank before an operation begins.
struct InitialCopy: @unchecked Sendable {
    // As for the pointers of the request that it belongs to.
    var source: UnsafeRawPointer
    /// Where they go in the output, in bytes.
    var offset: Int
    var byteCount: Int
}

/// How an operation's elements are encoded, as far as it concerns this rank.
struct CompressionRequest: Sendable {
    var codec: any Codec
    /// What earlier operations could not send, of the operation's elements; nil: what is lost is lost.
    var feedback: ErrorFeedback?
    /// Whether the errors of what this rank encodes are to be reported.
    var measuresError: Bool
}
