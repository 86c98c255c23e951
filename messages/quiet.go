package messages

// IgnoreDeadLetterLogging keeps protoactor from logging an envelope that comes
// too late for an actor that has stopped: the wire owes nobody a delivery.
func (*Envelope) IgnoreDeadLetterLogging() {}
