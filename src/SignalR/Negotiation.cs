namespace OllamaMax.SignalR;

/// <summary>
/// What <c>negotiate</c> answers: where to connect, and the token for it. SignalR's clients know exactly these two names
/// in camel case (<c>url</c>, <c>accessToken</c>).
/// </summary>
public sealed record Negotiation(string Url, string AccessToken)
{
    /// <summary>Without the token, so that it can go to a log.</summary>
    public override string ToString() => Url;
}
