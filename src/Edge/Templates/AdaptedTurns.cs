using OllamaMax.Jobs;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// The forms of a conversation, for templates that refuse it as it is or show less of it. Agents send what many a template has no place for: system messages between
/// the turns, several calls at once, a user's words behind the result of a tool. Nothing but such results changes its place, so that what was read before stays the beginning of what is read next.
/// </summary>
internal static class AdaptedTurns
{
    /// <summary>In this order, each on top of those before it; one that has nothing to do gives back what it got.</summary>
    private static readonly Func<IReadOnlyList<ChatMessage>, IReadOnlyList<ChatMessage>>[] Adaptations = [LateSystemAsUser, BehindResultInIt, SystemBeforeUser];

    /// <summary>
    /// As it came, then one adaptation more each time, where it makes a difference; and where all these are refused once more with one call a turn, each with its result
    /// behind it: Llama 3 writes several at once, and its template refuses to show them.
    /// </summary>
    /// <param name="messages">As they came.</param>
    /// <param name="isRefused">Whether the template has refused all forms until now.</param>
    public static IEnumerable<IReadOnlyList<ChatMessage>> Of(IReadOnlyList<ChatMessage> messages, Func<bool> isRefused)
    {
        foreach (IReadOnlyList<ChatMessage> form in Adapted(messages))
            yield return form;
        if (!isRefused() || messages.All(message => message.ToolCalls.Count <= 1))
            yield break;
        foreach (IReadOnlyList<ChatMessage> form in Adapted(SingleCallTurns.Of(messages)))
            yield return form;
    }

    private static IEnumerable<IReadOnlyList<ChatMessage>> Adapted(IReadOnlyList<ChatMessage> messages)
    {
        yield return messages;
        foreach (Func<IReadOnlyList<ChatMessage>, IReadOnlyList<ChatMessage>> adapt in Adaptations)
        {
            IReadOnlyList<ChatMessage> adapted = adapt(messages);
            if (ReferenceEquals(adapted, messages))
                continue;
            yield return adapted;
            messages = adapted;
        }
    }

    /// <summary>
    /// Whether the prompt lacks what a system message says, because there is one between the turns: some templates skip it, others take it for the only one.
    /// </summary>
    public static bool LacksSystem(string prompt, IReadOnlyList<ChatMessage> messages) =>
        messages.Skip(Leading(messages)).Any(IsSystem) && messages.Any(message => IsSystem(message) && !prompt.Contains(message.Content.Trim(), StringComparison.Ordinal));

    private static IReadOnlyList<ChatMessage> LateSystemAsUser(IReadOnlyList<ChatMessage> messages)
    {
        int leading = Leading(messages);
        return messages.Skip(leading).Any(IsSystem)
            ? JoinedTurns.Of([.. messages.Select((message, i) => i >= leading && IsSystem(message) ? message with { Role = "user" } : message)])
            : messages;
    }

    private static IReadOnlyList<ChatMessage> BehindResultInIt(IReadOnlyList<ChatMessage> messages)
    {
        List<ChatMessage> joined = [];
        foreach (ChatMessage message in messages)
        {
            if (message.Role == "user" && joined is [.., { Role: "tool" } result])
                joined[^1] = result with { Content = result.Content + JoinedTurns.Between + message.Content };
            else
                joined.Add(message);
        }
        return joined.Count < messages.Count ? joined : messages;
    }

    /// <summary>As Ollama shows it to Gemma 2, which knows none.</summary>
    private static IReadOnlyList<ChatMessage> SystemBeforeUser(IReadOnlyList<ChatMessage> messages)
    {
        if (messages is not [{ Role: "system" } system, ..] || messages.FirstOrDefault(message => message.Role == "user") is not { } user)
            return messages;
        return [.. messages.Skip(1).Select(message => ReferenceEquals(message, user) ? user with { Content = system.Content + JoinedTurns.Between + user.Content } : message)];
    }

    private static int Leading(IReadOnlyList<ChatMessage> messages) => messages.TakeWhile(IsSystem).Count();

    private static bool IsSystem(ChatMessage message) => message.Role == "system";
}
