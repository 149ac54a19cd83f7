namespace OllamaMax.Bench.Placement;

/// <summary>What clients ask for.</summary>
/// <param name="Name">For people.</param>
/// <param name="InConversation">Share of requests that are turns of conversations over shared system prompts, five each on average.</param>
/// <param name="Alone">Share of requests that share a system prompt and nothing else.</param>
internal sealed record Traffic(string Name, double InConversation, double Alone)
{
    private const double MeanTurns = 5;
    private const int ShortestPrompt = 300;
    private const int LongestPrompt = 3000;

    public static readonly Traffic Shared = new("shared prefixes", 1, 0);

    /// <summary>A fifth of it shares nothing.</summary>
    public static readonly Traffic Mixed = new("mixed", 0.5, 0.3);

    public static readonly Traffic Distinct = new("no shared prefix", 0, 0);

    /// <summary>What begins, and the time until the next one does; without end.</summary>
    public IEnumerable<(Conversation Conversation, TimeSpan Pause)> Begin(PlacementSizes sizes)
    {
        Random random = new(sizes.Seed);
        SystemPrompt[] groups = [.. Enumerable.Range(0, sizes.Groups).Select(number => new SystemPrompt(number, random.Next(ShortestPrompt, LongestPrompt)))];
        double[] popularity = Cumulated(groups.Length);
        // A conversation stands for several requests.
        double conversations = InConversation / MeanTurns;
        double beginnings = conversations + (1 - InConversation);
        for (int number = 0; ; number++)
        {
            double kind = random.NextDouble() * beginnings;
            SystemPrompt? group = kind < conversations + Alone ? groups[Index(popularity, random.NextDouble())] : null;
            int turns = kind < conversations ? Turns(random) : 1;
            double pause = -Math.Log(1 - random.NextDouble()) / (sizes.Rate * beginnings);
            yield return (new(number, group, turns, new Random(unchecked((sizes.Seed * 7919) + number))), TimeSpan.FromSeconds(pause));
        }
    }

    /// <summary>1 at least, <see cref="MeanTurns"/> on average, no memory.</summary>
    private static int Turns(Random random) => 1 + (int)(Math.Log(1 - random.NextDouble()) / Math.Log(1 - (1 / MeanTurns)));

    private static double[] Cumulated(int count)
    {
        double[] sums = new double[count];
        for (int i = 0; i < count; i++)
            sums[i] = (i == 0 ? 0 : sums[i - 1]) + (1.0 / (i + 1));
        return [.. sums.Select(sum => sum / sums[^1])];
    }

    private static int Index(double[] cumulated, double draw)
    {
        int index = Array.BinarySearch(cumulated, draw);
        return Math.Min(index < 0 ? ~index : index, cumulated.Length - 1);
    }
}
