namespace OllamaMax.SignalR;

/// <summary>
/// The right to send to one SignalR user, or group, and to do nothing else: the token's audience is exactly this URL.
/// </summary>
/// <param name="Url">The send URL, without a query.</param>
/// <param name="Token">Bearer token for it.</param>
/// <param name="ExpiresAt">When the service stops to take the token, by the issuer's clock.</param>
public sealed record ReplyCapability(string Url, string Token, DateTimeOffset ExpiresAt)
{
    /// <summary>Without the token, so that it can go to a log.</summary>
    public override string ToString() => Url;
}
