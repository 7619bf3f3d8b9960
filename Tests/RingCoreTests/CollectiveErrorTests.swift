import RingCore
import Testing

@Suite struct CollectiveErrorTests {
    @Test func readsAsOneLineWithItsCause() {
        let cause = CollectiveError(.system, "connection reset by peer")
        let error = CollectiveError(.peerLost, "rank 3 closed its connection", peer: 3, cause: cause)
        #expect("\(error)" == "peer-lost: rank 3 closed its connection (system: connection reset by peer)")
        #expect(error.peer == 3)
        #expect("\(CollectiveError(.closed, "done"))" == "closed: done")
    }

    @Test func codesAreDistinctAndExtensible() {
        let codes: [CollectiveError.Code] = [
            .invalidArgument, .invalidConfiguration, .unsupported, .unreachable, .rendezvousFailed,
            .authenticationFailed, .peerLost, .timedOut, .mismatch, .protocolViolation, .cancelled, .closed,
            .system,
        ]
        #expect(Set(codes).count == codes.count)
        for code in codes {
            #expect(CollectiveError.Code(rawValue: code.rawValue) == code)
            #expect(!code.rawValue.contains(" "))
        }
        #expect(CollectiveError.Code(rawValue: "of-a-later-version").description == "of-a-later-version")
    }
}
