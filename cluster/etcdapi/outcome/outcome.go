package outcome

import (
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// domain is the ErrorInfo.domain of this package's infos.
const domain = "castaway"

// Keys of ErrorInfo.metadata, and the values of keyOutcome.
const (
	keyOutcome        = "outcome"
	keyLeader         = "leader"
	keyLeaderEndpoint = "leader_endpoint"
	keyLimit          = "limit"
	keyRetryAfter     = "retry_after"
	keyDetail         = "detail"

	notDone       = "not_done"
	indeterminate = "indeterminate"
)

// Info is what an error says about its request.
type Info struct {
	// Reason is one word for why, in capitals, such as NO_LEADER.
	Reason string
	// Indeterminate says that the request may have been done, or still be done.
	// Otherwise it is definitely not done.
	Indeterminate bool
	// Leader is the member that leads, if known, and LeaderEndpoint the address of
	// its door.
	Leader         uint64
	LeaderEndpoint string
	// Limit names the limit that was reached.
	Limit string
	// RetryAfter is how long to wait before trying again.
	RetryAfter time.Duration
	// Detail says what happened, to what, and what to do next.
	Detail string
}

// Attach gives a status with the info in its details. Should that fail, the status
// is as it was.
func Attach(s *status.Status, i Info) *status.Status {
	details := []protoadapt.MessageV1{i.proto()}
	if i.RetryAfter > 0 {
		// The same once more, as clients of Google's APIs look for it.
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(i.RetryAfter)})
	}
	with, err := s.WithDetails(details...)
	if err != nil {
		return s
	}
	return with
}

func (i Info) proto() *errdetails.ErrorInfo {
	metadata := map[string]string{keyOutcome: notDone}
	if i.Indeterminate {
		metadata[keyOutcome] = indeterminate
	}
	if i.Leader != 0 {
		metadata[keyLeader] = strconv.FormatUint(i.Leader, 10)
	}
	if i.RetryAfter > 0 {
		metadata[keyRetryAfter] = i.RetryAfter.String()
	}
	for key, value := range map[string]string{
		keyLeaderEndpoint: i.LeaderEndpoint, keyLimit: i.Limit, keyDetail: i.Detail,
	} {
		if value != "" {
			metadata[key] = value
		}
	}
	return &errdetails.ErrorInfo{Domain: domain, Reason: i.Reason, Metadata: metadata}
}

// Of reads the info of a status, if it has one. An outcome that is not understood is
// taken for indeterminate.
func Of(s *status.Status) (Info, bool) {
	for _, detail := range s.Details() {
		e, ok := detail.(*errdetails.ErrorInfo)
		if !ok || e.Domain != domain {
			continue
		}
		m := e.Metadata
		i := Info{
			Reason:         e.Reason,
			Indeterminate:  m[keyOutcome] != notDone,
			LeaderEndpoint: m[keyLeaderEndpoint],
			Limit:          m[keyLimit],
			Detail:         m[keyDetail],
		}
		// What does not parse is as good as absent.
		i.Leader, _ = strconv.ParseUint(m[keyLeader], 10, 64)
		i.RetryAfter, _ = time.ParseDuration(m[keyRetryAfter])
		return i, true
	}
	return Info{}, false
}
