using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Placement;

/// <summary>
/// What a prompt has in common with others, as two hashes. A worker does not read again what it has read before, so prompts that begin alike are best sent to
/// one worker. What is hashed is the conversation's head, its tools and its messages up to the first of the user: it stands still while the conversation grows.
/// </summary>
/// <param name="Beginning">Of the first <see cref="BeginningBytes"/>: prompts over one system prompt or one set of tools have it in common. What is shorter is hashed whole: it is hardly worth sharing.</param>
/// <param name="Conversation">Of all of the head: the turns of one conversation have it in common.</param>
public readonly record struct PromptPrefix(ulong Beginning, ulong Conversation)
{
    /// <summary>About a thousand characters, a quarter of a thousand tokens.</summary>
    public const int BeginningBytes = 2048;

    /// <summary>Of a text without turns, at most so much tells it from others.</summary>
    private const int LongestText = 8192;

    /// <summary>Bytes of an image that tell it from others.</summary>
    private const int LongestImage = 16384;

    /// <summary>There are turns behind the head: its worker has read far more of it than the head.</summary>
    public bool IsContinued { get; init; }

    /// <summary>Nothing is known of the prompt, or there is none.</summary>
    public bool IsNone => this == default;

    /// <summary>What jobs of a model that nobody has in memory go by: they are to bring it into one worker's memory, not into as many as there are prompts.</summary>
    public static PromptPrefix OfModel(string digest)
    {
        ulong hash = PlacementHash.Of(digest);
        return new(hash, hash);
    }

    /// <summary>Of a text that has no turns, or whose turns only its client knows. It is cut at a power of two, so that it can grow for a while without another hash.</summary>
    public static PromptPrefix OfText(string text) => text.Length == 0
        ? default
        : new(PlacementHash.Of(Cut(text, BeginningBytes / sizeof(char))), PlacementHash.Of(Cut(text, LongestText)));

    /// <summary>The same of a prompt that has nothing in common with those of others: what a worker has read of theirs is of no use to it.</summary>
    /// <param name="partition">Whose it is.</param>
    public PromptPrefix Within(string partition)
    {
        if (IsNone)
            return this;
        ulong salt = PlacementHash.Of(partition);
        return this with { Beginning = PlacementHash.Spread(Beginning ^ salt), Conversation = PlacementHash.Spread(Conversation ^ salt) };
    }

    /// <param name="messages">The conversation, the model's own system message included.</param>
    /// <param name="tools">In OpenAI's form.</param>
    public static PromptPrefix OfChat(IReadOnlyList<ChatMessage> messages, IReadOnlyList<JsonElement> tools)
    {
        var head = new Head();
        foreach (JsonElement tool in tools)
            head.Add(JsonMarshal.GetRawUtf8Value(tool));
        int read = 0;
        bool isWhole = false;
        while (read < messages.Count && !isWhole)
        {
            ChatMessage message = messages[read++];
            head.Add(MemoryMarshal.AsBytes(message.Role.AsSpan()));
            head.Add(MemoryMarshal.AsBytes(message.Content.AsSpan()));
            foreach (ChatImage image in message.Images)
                head.Add(image.Data.Span[..Math.Min(LongestImage, image.Data.Length)]);
            isWhole = message.Role == "user";
        }
        return head.Length == 0 ? default : new(head.Beginning, head.Hash) { IsContinued = read < messages.Count };
    }

    private static ReadOnlySpan<char> Cut(string text, int most) =>
        text.AsSpan(0, Math.Min(most, 1 << BitOperations.Log2((uint)text.Length)));

    private struct Head
    {
        private ulong _state;
        private ulong? _beginning;

        public int Length { get; private set; }

        public readonly ulong Hash => PlacementHash.Spread(_state);

        public readonly ulong Beginning => _beginning ?? Hash;

        public void Add(ReadOnlySpan<byte> part)
        {
            int missing = BeginningBytes - Length;
            if (_beginning is null && part.Length >= missing)
            {
                _state = PlacementHash.Add(_state, part[..missing]);
                _beginning = Hash;
                part = part[missing..];
                Length += missing;
            }
            _state = PlacementHash.Add(_state, part);
            Length += part.Length;
        }
    }
}
