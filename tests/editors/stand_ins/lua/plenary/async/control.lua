return {
  channel = {
    oneshot = function()
      local told, waiting
      return function(value)
        told = { value }
        if waiting then
          coroutine.resume(waiting)
        end
      end, function()
        if not told then
          waiting = coroutine.running()
          coroutine.yield()
        end
        return told[1]
      end
    end,
  },
}
