package etcdapi

// AnswersUnderWay counts the bytes of answers that clients have not taken.
func (s *Server) AnswersUnderWay() int64 { return s.inflight.answers.Load() }

// ClientsWithLargeAnswers counts the clients that have not taken some.
func (s *Server) ClientsWithLargeAnswers() int {
	s.inflight.mu.Lock()
	defer s.inflight.mu.Unlock()
	return len(s.inflight.clients)
}

// RequestsUnderWay counts requests and their bytes.
func (s *Server) RequestsUnderWay() (requests, bytes int64) {
	return s.inflight.requests.Load(), s.inflight.bytes.Load()
}
