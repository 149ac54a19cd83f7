using OllamaMax.Streaming;
using System.Text.Json.Serialization.Metadata;

namespace OllamaMax.SignalR;

/// <summary>
/// One hub, for who holds the access key: sends to users and groups, puts users into groups, and issues what lets others
/// connect (<see cref="Negotiate"/>) or answer (<see cref="ReplyTo"/>) without the key.
/// </summary>
/// <param name="connection">The service.</param>
/// <param name="hub">Name of the hub: a letter, then letters, digits and underscores.</param>
/// <param name="sender">Shared by all hubs of the process.</param>
/// <param name="time">Clock of the tokens.</param>
public sealed class SignalRHub(SignalRConnectionString connection, string hub, SignalRSender sender, TimeProvider time)
{
    // Long enough for a request under way and for clocks that are not quite together.
    private static readonly TimeSpan s_ownUse = TimeSpan.FromMinutes(5);

    private readonly SignalRUrls _urls = new(connection.Endpoint, hub);
    private readonly AccessTokens _tokens = new(connection, time);

    /// <summary>Where clients connect; pages have to be allowed to.</summary>
    public string ClientUrl => _urls.Client;

    /// <summary>What <paramref name="user"/> connects with. The token has to live until the connection stands, not longer.</summary>
    public Negotiation Negotiate(string user, TimeSpan validFor) =>
        new(_urls.Client, _tokens.ForClient(_urls.Client, user, validFor).Value);

    /// <summary>
    /// The right to send to <paramref name="user"/> and to nobody else, for at least <paramref name="validFor"/> and at most
    /// twice as long. Cached: calls with the same figures cost nothing.
    /// </summary>
    public ReplyCapability ReplyTo(string user, TimeSpan validFor) => Capability(_urls.SendToUser(user), validFor);

    /// <summary>As <see cref="ReplyTo"/>, to a group.</summary>
    public ReplyCapability ReplyToGroup(string group, TimeSpan validFor) => Capability(_urls.SendToGroup(group), validFor);

    public Task<SendOutcome> SendToUserAsync<T>(
        string user, string target, T argument, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        sender.SendAsync(ReplyTo(user, s_ownUse), target, argument, type, cancellationToken);

    public Task<SendOutcome> SendToGroupAsync<T>(
        string group, string target, T argument, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        sender.SendAsync(Capability(_urls.SendToGroup(group), s_ownUse), target, argument, type, cancellationToken);

    /// <summary>Puts all connections of a user, those to come too, into a group.</summary>
    public Task<SendOutcome> AddToGroupAsync(string user, string group, CancellationToken cancellationToken) =>
        CallAsync(HttpMethod.Put, _urls.UserInGroup(user, group), cancellationToken);

    /// <summary>Ends a user's connections. Clients that reconnect by themselves come back if they get a token.</summary>
    public Task<SendOutcome> CloseConnectionsAsync(string user, CancellationToken cancellationToken) =>
        CallAsync(HttpMethod.Post, _urls.CloseUser(user), cancellationToken);

    private ReplyCapability Capability(string url, TimeSpan validFor)
    {
        AccessToken token = _tokens.ForUrl(url, validFor);
        return new(url, token.Value, token.ExpiresAt);
    }

    private Task<SendOutcome> CallAsync(HttpMethod method, string url, CancellationToken cancellationToken) =>
        sender.CallAsync(method, url, _tokens.ForUrl(url, s_ownUse).Value, content: null, cancellationToken);
}
