namespace OllamaMax.Jobs;

/// <summary>An image of a message.</summary>
/// <param name="MediaType">What its bytes are: <c>image/png</c>, <c>image/jpeg</c>, <c>image/gif</c> or <c>image/webp</c>.</param>
/// <param name="Data">As the client sent it; base64 in JSON.</param>
/// <param name="At">How many characters of <see cref="ChatMessage.Content"/> stand before it.</param>
public sealed record ChatImage(string MediaType, ReadOnlyMemory<byte> Data, int At = 0)
{
    /// <summary>How closely it is to be looked at, in OpenAI's words (low, high, …); null: as the server does by itself.</summary>
    public string? Detail { get; init; }
}
