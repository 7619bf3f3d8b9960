import RingCore
import RingSystem
import RingTransport

/// The listener's side of a handshake: the answer is on its way, the confirmation is waited for.
final class RDMAPendingHandshake {
    /// What has come of it.
    enum State {
        case waiting
        case finished
        case failed(String)
    }

    let connection: RDMAConnection
    let hello: LinkHandshake.Hello
    let source: String
    let deadline: Deadline
    private let answered: [UInt8]

    init(
        connection: RDMAConnection, hello: LinkHandshake.Hello, answered: [UInt8], source: String,
        deadline: Deadline
    ) {
        self.connection = connection
        self.hello = hello
        self.answered = answered
        self.source = source
        self.deadline = deadline
    }

    /// Does what can be done without waiting.
    func advance(_ authenticator: any LinkAuthenticator) -> State {
        do throws(RDMAFailure) {
            guard let bytes = try connection.message() else { return .waiting }
            guard let confirmation = RDMAHandshake.Confirmation(bytes),
                authenticator.verify(
                    confirmation.proof, label: LinkHandshake.diallerLabel,
                    transcript: RDMAHandshake.Confirmation.transcript(
                        answered: answered, ring: confirmation.ring))
            else { return .failed("it claims to be rank \(hello.from) but does not know the job's secret") }
            guard connection.begin(writingTo: confirmation.ring) else {
                return .failed("rank \(hello.from) has a ring of another size: set it alike on all ranks")
            }
            return .finished
        } catch {
            return .failed("its connection ended before it had said who it is")
        }
    }
}
