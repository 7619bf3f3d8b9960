/// Why a call of this library failed.
///
/// The one error type of the public interface. A failed communicator stays failed: every later call on it
/// throws the first cause again.
public struct CollectiveError: Error, Sendable {
    /// What kind of failure it is.
    public var code: Code

    /// What went wrong, on which rank, and what to do about it, in one line.
    public var message: String

    /// The rank at fault, where one is known.
    public var peer: Rank?

    /// The error beneath this one, if there is one.
    public var cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, _ message: String, peer: Rank? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.peer = peer
        self.cause = cause
    }
}

extension CollectiveError {
    /// A kind of failure. New kinds may be added, so compare against the ones you handle.
    public struct Code: Hashable, Sendable, RawRepresentable, CustomStringConvertible {
        /// The kind's name, as logs and the wire carry it.
        public var rawValue: String

        /// The kind with this name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        public var description: String { rawValue }
    }
}

extension CollectiveError.Code {
    /// The caller passed something that cannot be right. Nothing was sent.
    public static let invalidArgument = Self(rawValue: "invalid-argument")
    /// A setting, an option or the environment cannot be right.
    public static let invalidConfiguration = Self(rawValue: "invalid-configuration")
    /// What was asked for is not in this build or not on this machine.
    public static let unsupported = Self(rawValue: "unsupported")
    /// An address cannot be resolved, bound or reached.
    public static let unreachable = Self(rawValue: "unreachable")
    /// The ranks could not find each other: one is missing, doubled or does not belong.
    public static let rendezvousFailed = Self(rawValue: "rendezvous-failed")
    /// A peer could not prove that it belongs to this job.
    public static let authenticationFailed = Self(rawValue: "authentication-failed")
    /// A peer ended, or its connection was closed or reset.
    public static let peerLost = Self(rawValue: "peer-lost")
    /// A deadline passed.
    public static let timedOut = Self(rawValue: "timed-out")
    /// Ranks called different collectives, or the same one with different arguments.
    public static let mismatch = Self(rawValue: "mismatch")
    /// A peer sent something that this protocol does not allow.
    public static let protocolViolation = Self(rawValue: "protocol-violation")
    /// A task that awaited an operation was cancelled, or the operation was.
    public static let cancelled = Self(rawValue: "cancelled")
    /// The communicator was closed by its owner.
    public static let closed = Self(rawValue: "closed")
    /// The operating system refused something.
    public static let system = Self(rawValue: "system")
}

extension CollectiveError: CustomStringConvertible {
    public var description: String {
        var text = "\(code): \(message)"
        if let cause { text += " (\(cause))" }
        return text
    }
}
