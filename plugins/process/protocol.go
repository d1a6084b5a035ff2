package process

import (
	"context"
	"fmt"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/provost-id/provost/plugins"
)

// handshake keeps a plugin from being started by somebody else by mistake; it is no
// secret. The version rises when the gRPC service changes, not with the payloads.
var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "PROVOST_PLUGIN",
	MagicCookieValue: "0c6c5c6d1f5f4d0aa1a0c1f5b9d5e3a7",
}

const (
	serviceName = "provost.plugins.Hook"
	callMethod  = "/" + serviceName + "/Call"
	pluginName  = "hook" // go-plugin's name for what is dispensed
)

// service is the one gRPC service. It is written by hand: its messages are the
// wrapper of a byte string that protobuf ships.
var service = grpc.ServiceDesc{
	ServiceName: serviceName,
	HandlerType: (*plugins.Caller)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Call", Handler: serveCall}},
}

// serveCall is the plugin's side of one call.
func serveCall(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := &wrapperspb.BytesValue{}
	if err := decode(in); err != nil {
		return nil, err
	}
	caller, ok := srv.(plugins.Caller)
	if !ok { // grpc checked HandlerType when it was registered
		return nil, fmt.Errorf("%T is no caller", srv)
	}
	answer, err := caller.Call(ctx, in.GetValue())
	if err != nil {
		return nil, err
	}
	return wrapperspb.Bytes(answer), nil
}

// hookPlugin tells go-plugin how to serve hooks and how to reach them.
type hookPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	hooks plugins.Hooks // of the plugin's side
}

var _ plugin.GRPCPlugin = (*hookPlugin)(nil)

// GRPCServer implements plugin.GRPCPlugin in the plugin.
func (p *hookPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&service, p.hooks)
	return nil
}

// GRPCClient implements plugin.GRPCPlugin in provost.
func (p *hookPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}
