using System.Numerics;
using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Numbers;

/// <summary>
/// The texts of the numbers in a range, digit by digit: without an exponent, without needless zeros in front, without a negative zero,
/// with as many digits as keep a reader that computes in doubles on the right side of a bound.
/// </summary>
internal sealed class NumberAutomaton
{
    private const int WholeNumberDigits = 18;
    private const int Digits = 15;

    private readonly NumberRange _range;
    private readonly int _step;
    private readonly int _mostWhole;
    private readonly int _mostFraction;

    private NumberAutomaton(NumberRange range)
    {
        _range = range;
        int longest = new[] { range.Least, range.Most }.Max(bound => bound is { } set ? set.Value.WholeDigits.Length : 0);
        bool isOpen = range.Least is null || range.Most is null;
        _mostWhole = isOpen ? Math.Max(range.IsWhole ? WholeNumberDigits : Digits, longest + 1) : longest;
        if (range.Step is { } step)
        {
            if (step.Digits > GrammarLimits.States)
                throw new AutomatonTooLargeException();
            (_step, _mostFraction) = ((int)step.Digits, step.Scale);
        }
        else
        {
            int scale = new[] { range.Least, range.Most }.Max(bound => bound is { } set ? set.Value.Scale + 1 : 0);
            _mostFraction = Math.Max(scale, Digits - longest);
        }
    }

    private enum Part
    {
        Start,
        Sign,
        Zero,
        Whole,
        Point,
        Fraction,
    }

    /// <exception cref="AutomatonTooLargeException">The step is too large to be counted.</exception>
    public static Automaton Of(NumberRange range)
    {
        NumberAutomaton numbers = new(range);
        return AutomatonBuilder.Build(default(State), numbers.Edges, numbers.Accepts);
    }

    private IEnumerable<(CharSet, State)> Edges(State at)
    {
        if (at.Part == Part.Start)
            yield return (CharSet.Of('-'), at with { Part = Part.Sign, IsNegative = true });
        if (at.Part is Part.Zero or Part.Whole && _mostFraction > 0)
            yield return (CharSet.Of('.'), PointAfter(at));
        for (int digit = 0; digit <= 9; digit++)
        {
            if (After(at, digit) is { } next)
                yield return (CharSet.Of('0' + digit), next);
        }
    }

    private State? After(State at, int digit) => at.Part switch
    {
        Part.Start or Part.Sign => Read(at, digit) with { Part = digit == 0 ? Part.Zero : Part.Whole, Length = 1 },
        Part.Whole when at.Length < _mostWhole => Read(at, digit) with { Length = at.Length + 1 },
        Part.Point or Part.Fraction when at.Length < _mostFraction => Read(at, digit) with { Part = Part.Fraction, Length = at.Length + 1 },
        _ => null,
    };

    private State Read(State at, int digit) => at with
    {
        IsAboveZero = at.IsAboveZero || digit != 0,
        AgainstLow = Compare(at, Low(at.IsNegative), at.AgainstLow, digit),
        AgainstHigh = Compare(at, High(at.IsNegative), at.AgainstHigh, digit),
        Remainder = _step == 0 ? 0 : ((at.Remainder * 10) + digit) % _step,
    };

    private static int Compare(State at, NumberRange.Bound? bound, int sofar, int digit)
    {
        if (bound is not { } set || sofar != 0)
            return sofar;
        string digits = at.Part is Part.Point or Part.Fraction ? set.Value.FractionDigits : set.Value.WholeDigits;
        // Past the end of the bound's digits stand zeros after the point; before it, the longer number is compared at the end.
        int other = at.Length < digits.Length ? digits[at.Length] - '0' : 0;
        return Math.Sign(digit - other);
    }

    private State PointAfter(State at) => at with
    {
        Part = Part.Point,
        Length = 0,
        AgainstLow = WholeAgainst(at, Low(at.IsNegative), at.AgainstLow),
        AgainstHigh = WholeAgainst(at, High(at.IsNegative), at.AgainstHigh),
    };

    private static int WholeAgainst(State at, NumberRange.Bound? bound, int sofar)
    {
        if (bound is not { } set)
            return 0;
        int order = at.Length.CompareTo(set.Value.WholeDigits.Length);
        return order != 0 ? order : sofar;
    }

    private bool Accepts(State at)
    {
        if (at.Part is not (Part.Zero or Part.Whole or Part.Fraction) || (at.IsNegative && !at.IsAboveZero))
            return false;
        State end = at.Part == Part.Fraction ? at : PointAfter(at);
        NumberRange.Bound? low = Low(at.IsNegative), high = High(at.IsNegative);
        int againstLow = Final(end, low, end.AgainstLow), againstHigh = Final(end, high, end.AgainstHigh);
        return (low is not { } least || againstLow > 0 || (againstLow == 0 && !least.IsExclusive))
            && (high is not { } most || againstHigh < 0 || (againstHigh == 0 && !most.IsExclusive))
            && !(high is { Value.Sign: < 0 })
            && (_step == 0 || at.Remainder * BigInteger.Pow(10, _mostFraction - end.Length) % _step == 0);
    }

    /// <summary>Digits that the bound has left make it the greater one: its last is no zero.</summary>
    private static int Final(State at, NumberRange.Bound? bound, int sofar) =>
        bound is { } set && sofar == 0 && at.Length < set.Value.Scale ? -1 : sofar;

    /// <summary>What a number without its sign must reach; a bound that any such number reaches is none.</summary>
    private NumberRange.Bound? Low(bool isNegative) => (isNegative ? Mirrored(_range.Most) : _range.Least) is { Value.Sign: > 0 } low ? low : ZeroIn(isNegative);

    /// <summary>What a number without its sign must not exceed; below zero where there is none.</summary>
    private NumberRange.Bound? High(bool isNegative) => isNegative ? Mirrored(_range.Least) : _range.Most;

    private NumberRange.Bound? ZeroIn(bool isNegative) =>
        (isNegative ? _range.Most : _range.Least) is { Value.Sign: 0 } zero ? zero : null;

    private static NumberRange.Bound? Mirrored(NumberRange.Bound? bound) =>
        bound is { } set ? set with { Value = set.Value.Negate() } : null;

    /// <summary>How far a number has been read. Comparisons are with the bounds' digits at the same place; 0: equal so far.</summary>
    private readonly record struct State(
        Part Part, bool IsNegative, int Length, bool IsAboveZero, int AgainstLow, int AgainstHigh, int Remainder);
}
