function y = smooth_signal(x, n)
% SMOOTH_SIGNAL  The moving average of a noisy signal.
    y = conv(x, ones(1, n) / n, 'same');
    y(1) = first_value(x);
end

function v = first_value(x)
    v = x(1);
end
