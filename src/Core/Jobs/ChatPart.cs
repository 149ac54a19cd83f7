namespace OllamaMax.Jobs;

/// <summary>A piece of a message: a text, or an image.</summary>
public readonly record struct ChatPart(string Text, ChatImage? Image)
{
    /// <summary>The message's images and the texts between them, in their order. Texts that an image parts are lines (<see cref="ChatMessage.Content"/>).</summary>
    public static IEnumerable<ChatPart> Of(ChatMessage message)
    {
        int from = 0;
        foreach (ChatImage image in message.Images)
        {
            int at = Math.Clamp(image.At, from, message.Content.Length);
            if (at > from)
                yield return new(message.Content[from..at], null);
            yield return new("", image);
            from = at < message.Content.Length && message.Content[at] == '\n' ? at + 1 : at;
        }
        if (from < message.Content.Length)
            yield return new(message.Content[from..], null);
    }
}
